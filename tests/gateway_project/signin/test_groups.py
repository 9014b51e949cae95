"""Ready groups: made by migrations, and never made again against somebody's wish."""

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from gateway_project.signin.groups import RIGHTS, provide, remember
from routing.models import Route

pytestmark = [pytest.mark.store, pytest.mark.django_db]
LAST = [each for each in apps.get_app_configs() if each.models_module is not None][-1]


def rights_of(name: str) -> set[str]:
    """`{"routing.view_route", …}`."""
    rows = Group.objects.get(name=name).permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in rows}


def migrated(**new: str) -> None:
    """A migration that brings permissions by name."""
    remember(LAST, using="default")
    kind = ContentType.objects.get_for_model(Route)
    for codename, name in new.items():
        Permission.objects.create(codename=codename, name=name, content_type=kind)
    provide(LAST, using="default")


def test_groups_are_there_after_migrating() -> None:
    """All five, whoever made the database."""
    assert set(RIGHTS) <= set(Group.objects.values_list("name", flat=True))


def test_viewer_only_views() -> None:
    """Everything that has a page, and nothing else."""
    assert {right.partition(".")[2].partition("_")[0] for right in rights_of("viewer")} == {"view"}
    assert {"routing.view_route", "authproxy.view_consumer", "auth.view_user"} <= rights_of("viewer")


@pytest.mark.parametrize(
    ("name", "may", "may_not"),
    [
        ("operator", "routing.operate", "routing.change_route"),
        ("editor", "routing.change_route", "routing.publish"),
        ("editor", "routing.delete_target", "routing.change_identityprovider"),
        ("publisher", "routing.publish", "routing.change_route"),
        ("security admin", "authproxy.change_consumer", "routing.change_route"),
        ("security admin", "routing.add_owner", "routing.publish"),
    ],
)
def test_each_has_a_part(name: str, may: str, may_not: str) -> None:
    """Editing, publishing, operating and letting people in are separate; all of them may look."""
    assert may in rights_of(name)
    assert may_not not in rights_of(name)
    assert rights_of("viewer") <= rights_of(name)


def test_what_was_taken_away_stays_away() -> None:
    """An upgrade gives no right back, and leaves what somebody has added."""
    editor = Group.objects.get(name="editor")
    editor.permissions.remove(Permission.objects.get(codename="delete_route"))
    editor.permissions.add(Permission.objects.get(codename="publish"))
    migrated()

    assert "routing.delete_route" not in rights_of("editor")
    assert "routing.publish" in rights_of("editor")


def test_new_kinds_of_rows_come_to_those_they_concern() -> None:
    """A permission that a migration brings is given to the groups whose part it is."""
    Permission.objects.filter(codename="operate").delete()
    migrated(operate="May operate", unheard_of="Nobody's")

    assert "routing.operate" in rights_of("operator")
    assert "routing.operate" not in rights_of("viewer")
    assert not any("routing.unheard_of" in rights_of(name) for name in RIGHTS)


def test_deleted_group_is_made_again() -> None:
    """With all of its rights, and nobody in it."""
    Group.objects.get(name="publisher").delete()
    migrated()

    assert "routing.publish" in rights_of("publisher")


def test_topic_rules_go_to_security_admins() -> None:
    """An installation of before gave editors the right; the upgrade takes it from them, and nothing else."""
    hand_over = import_module("realtime.migrations.0003_topic_rules_of_security_admins").hand_over
    editors, admins = (Group.objects.get(name=name) for name in ("editor", "security admin"))
    kept = Group.objects.create(name="topic keepers")
    rows = Permission.objects.filter(codename__in=("add_topicrule", "change_topicrule", "delete_topicrule"))
    before = rights_of("editor")
    editors.permissions.add(*rows)
    kept.permissions.add(*rows)
    admins.permissions.remove(*rows)
    hand_over(apps, connection.schema_editor())

    assert rights_of("editor") == before
    assert "routing.view_topicrule" in before
    assert {f"routing.{row.codename}" for row in rows} <= rights_of("security admin")
    assert len(rights_of("topic keepers")) == 3
