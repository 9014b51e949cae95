from itertools import product

from routing.conditions import HeaderCondition
from routing.crowds import Crowd
from routing.entries import NO_BOUND, Entry
from routing.matching import index_of
from routing.snapshot import CompiledRoute, Miss
from routing.tree import Node, Tree
from tests.support.reference_matcher import make_route


class CountingNode(Node):
    """A node that counts how often its children are looked at."""

    visits = 0

    @property
    def passing(self) -> list[Entry]:  # type: ignore[override]
        CountingNode.visits += 1
        return []

    @passing.setter
    def passing(self, value: list[Entry]) -> None:
        pass


def _tree(routes: list[CompiledRoute]) -> Tree:
    tree = Tree()
    for order, route in enumerate(sorted(routes, key=lambda route: route.rank)):
        tree.insert(Entry(order, frozenset(route.methods) or None, None, route), route.pattern)
    return tree


def _both_at_every_level(depth: int, end: str) -> list[CompiledRoute]:
    """One route for each way to choose literal or placeholder on each level: the worst tree there is."""
    return [
        make_route(
            f"r{number}",
            "/" + "/".join("a" if choice else f"{{p{at}}}" for at, choice in enumerate(choices)) + end,
            "template",
            methods=("POST",),
        )
        for number, choices in enumerate(product((True, False), repeat=depth))
    ]


def test_the_worst_tree_is_walked_once(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """Where literal and placeholder fit at every level and nothing wins, no node is seen twice."""
    monkeypatch.setattr("routing.tree.Node", CountingNode)
    tree = _tree(_both_at_every_level(10, "/end"))
    CountingNode.visits = 0
    assert tree.search(["", *["a"] * 10, "other"], ("", "GET", (), b""), NO_BOUND) is None
    nodes = 2 ** (10 + 1) + 2**10
    assert 2**10 < CountingNode.visits <= 2 * nodes


def test_the_best_branch_comes_first(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """Once the best route is found, branches that hold only worse ones are left out."""
    monkeypatch.setattr("routing.tree.Node", CountingNode)
    tree = _tree(_both_at_every_level(10, ""))
    CountingNode.visits = 0
    found = tree.search(["", *["a"] * 10], ("", "POST", (), b""), NO_BOUND)
    assert found is not None
    assert found.order == 0
    assert CountingNode.visits <= 30


def test_a_long_path_costs_no_more_than_the_tree_is_deep() -> None:
    """Segments that no route could look at are not even split off."""
    index = index_of([make_route("a", "/a/{x}/c"), make_route("b", "/a/{x}/{y}", "template")])
    assert index._splits <= 4
    assert isinstance(index.match("GET", b"", "/b" * 100_000, (), b""), Miss)
    deep = index.match("GET", b"", "/a/x/c" + "/c" * 100_000, (), b"")
    assert isinstance(deep, Miss)


def test_search_respects_the_bound() -> None:
    """A route found elsewhere that comes before all of a tree's routes makes the search end at once."""
    tree = _tree([make_route("a", "/a", "exact"), make_route("b", "/")])
    wanted = ("/a", "GET", (), b"")
    best, second = tree.search(["", "a"], wanted, NO_BOUND), tree.search(["", "x"], wanted, NO_BOUND)
    assert best is not None
    assert best.route.name == "a"
    assert second is not None
    assert tree.search(["", "a"], wanted, 0) is None
    assert tree.best == 0
    assert tree.best_below == 1


def test_conditions_are_asked_in_order() -> None:
    """Of routes at one place, the first whose conditions hold is taken."""
    asked = []

    def check(name: str, answer: bool):  # type: ignore[no-untyped-def]
        return lambda *_: asked.append(name) or answer

    tree = Tree()
    for order, (name, answer) in enumerate([("no", False), ("yes", True), ("late", True)]):
        route = make_route(name, headers=(HeaderCondition(b"x", b"1"),))
        tree.insert(Entry(order, None, check(name, answer), route), route.pattern)
    found = tree.search(["", ""], ("/", "GET", (), b""), NO_BOUND)
    assert found is not None
    assert found.route.name == "yes"
    assert asked == ["no", "yes"]


def test_candidates_list_every_entry_on_the_way() -> None:
    """Candidates ignore methods and conditions, and find both branches of each fork."""
    tree = _tree(_both_at_every_level(3, ""))
    assert len(list(tree.candidates("/a/a/a", ["", "a", "a", "a"]))) == 8
    assert len(list(tree.candidates("/a/b/a", ["", "a", "b", "a"]))) == 4


def test_branches_are_tried_until_nothing_better_is_left() -> None:
    """A branch that was put off is taken up when the literal one fails, and when it may still win."""
    tree = _tree(
        [
            make_route("literal", "/a/b", "template", methods=("POST",)),
            make_route("placeholder", "/{x}/b", "template"),
            make_route("urgent", "/{x}/{y}", "template", priority=1, methods=("PUT",)),
        ]
    )

    def name(method: str) -> str | None:
        found = tree.search(["", "a", "b"], ("/a/b", method, (), b""), NO_BOUND)
        return found.route.name if found else None

    assert [name(method) for method in ("POST", "GET", "PUT")] == ["literal", "placeholder", "urgent"]
    assert tree.search(["", "a", "c"], ("/a/c", "GET", (), b""), NO_BOUND) is None
    exact = _tree([make_route("e", "/a", "exact", methods=("PUT",)), make_route("p", "/a")])
    found = exact.search(["", "a"], ("/a", "GET", (), b""), NO_BOUND)
    assert found is not None
    assert found.route.name == "p"


def test_crowds_form_where_many_meet() -> None:
    """Places with more entries than are tried one by one are grouped, wherever they are in the tree."""
    conditions = [(HeaderCondition(b"x", b"%d" % n),) for n in range(20)]
    tree = _tree(
        [
            make_route(f"{kind}{n}", path, kind, headers=headers)
            for kind, path in (("exact", "/a"), ("template", "/{x}"), ("prefix", "/"))  # type: ignore[misc]
            for n, headers in enumerate(conditions)
        ]
    )
    tree.settle()
    assert isinstance(tree.exact["/a"], Crowd)
    assert isinstance(tree.root.passing, Crowd)
    assert isinstance(tree.root.placeholder, Node)
    assert isinstance(tree.root.placeholder.ends, Crowd)
    assert len(list(tree.candidates("/a", ["", "a"]))) == 60
    found = tree.search(["", "a"], ("/a", "GET", ((b"x", b"7"),), b""), NO_BOUND)
    assert found is not None
