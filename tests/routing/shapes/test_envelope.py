"""Whether answers are wrapped."""

from routing.shapes.envelope import envelope_note


def test_notes() -> None:
    """Only of routes that do."""
    assert [note.name for note in envelope_note(is_on=True, source="route")] == ["envelope"]
    assert list(envelope_note(is_on=False, source="route")) == []
