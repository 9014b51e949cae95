"""D: What every editable row has: a unique name, a version for optimistic concurrency, times, notes."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, transaction

from routing.locking import hold_lock

NAME_LENGTH = 100
VALIDATE_NAME = RegexValidator(
    r"\A[a-zA-Z0-9][a-zA-Z0-9_.-]{0,99}\Z",
    "Use letters, digits, dot, dash and underscore, beginning with a letter or digit (at most 100).",
)


class EditConflict(Exception):  # noqa: N818 - named as people say it
    """Somebody else saved this row after it was read; str(error) says so to a person."""


class Versioned(models.Model):
    """A row that is only saved over the version that its editor saw; each save raises `version` by one."""

    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True

    def clean(self) -> None:
        super().clean()
        if not self._state.adding and not self._is_current():
            raise ValidationError(self._conflict(), code="conflict")

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            # Before any row is locked: two writers that wait for each other's rows would be a deadlock.
            hold_lock()
            if not self._state.adding:
                self._claim_version()
            super().save(*args, **kwargs)

    def _claim_version(self) -> None:
        mine = type(self)._default_manager.filter(pk=self.pk, version=self.version)
        if not mine.update(version=self.version + 1):
            raise EditConflict(self._conflict())
        self.version += 1

    def _is_current(self) -> bool:
        return type(self)._default_manager.filter(pk=self.pk, version=self.version).exists()

    def _conflict(self) -> str:
        what = f'{self._meta.verbose_name} "{self}"'
        return f"{what} was changed or deleted since you opened it; reload and try again"


class Named(Versioned):
    """A row that the document knows by its name."""

    name = models.CharField(max_length=NAME_LENGTH, unique=True, validators=[VALIDATE_NAME])
    managed_by = models.CharField(max_length=NAME_LENGTH, null=True, blank=True, validators=[VALIDATE_NAME])
    notes = models.TextField(
        blank=True, help_text="For people only; not part of the published configuration."
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name
