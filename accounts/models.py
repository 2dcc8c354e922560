"""People and the teams they form."""

from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import available_timezones

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from accounts.querysets import TeamQuerySet, UserQuerySet
from promptlib.core.fields import KeyField, UUIDField, normalize_key
from promptlib.core.models import BaseModel, SoftDeleteModel
from promptlib.core.restoring import WayBack

HANDLE = RegexValidator(
    r"^[a-z0-9][a-z0-9-]{0,38}$", _("Use small letters, digits and hyphens; begin with a letter or digit.")
)

RESERVED_HANDLES = {"me"}
"""What stands in the place of a handle in the addresses of one's own pages."""

RESERVED_SLUGS = {"new"}
"""What stands in the place of a team's name in the address of the page that makes one."""

ROWS_PER_PAGE = (15, 30, 60, 100)


def validate_timezone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(_("There is no time zone called “%(name)s”."), params={"name": name})


def is_plain_email(email: str) -> bool:
    """Whether an address stands in the form under which it is unique: no look-alikes, only ASCII before the @."""
    return normalize_key(email) == email.lower() and email.rpartition("@")[0].isascii()


def display_name(user: "User") -> str:
    """How the sign-in library writes a person's name in its pages and e-mails."""
    return user.display_name or user.handle


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]  # a class made at run time
    """People who are not in the trash."""

    def get_queryset(self) -> models.QuerySet:
        return super().get_queryset().filter(deleted_at__isnull=True)

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """In small letters: the sign-in library looks addresses up so, and SQLite compares exactly."""
        return (email or "").strip().lower()

    def get_by_natural_key(self, email: str | None) -> "User":
        return self.get(email_key=normalize_key(email or ""))

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **fields})


class User(SoftDeleteModel, AbstractBaseUser, PermissionsMixin):
    """A person who can sign in."""

    OWNER = "pk"
    HELD_BY = ("id",)
    WAYS_BACK: ClassVar[dict[str, WayBack]] = {
        "users_email_unique": WayBack(rename="email"),
        "users_handle_unique": WayBack(rename="handle"),
    }

    email = models.EmailField(_("e-mail address"), max_length=254)
    email_key = KeyField(max_length=254, editable=False)
    handle = KeyField(
        _("handle"), max_length=39, validators=[HANDLE], blank=True, help_text=_("Your short name, as in @ines.")
    )
    display_name = models.CharField(_("name"), max_length=120, blank=True)
    bio = models.TextField(_("about you"), blank=True, max_length=2000)
    timezone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[validate_timezone])
    locale = models.CharField(_("language"), max_length=16, default="en")
    preferences = models.JSONField(_("preferences"), default=dict, blank=True)
    is_active = models.BooleanField(_("may sign in"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False, help_text=_("May use the admin."))
    last_seen_at = models.DateTimeField(_("last seen"), null=True, blank=True, editable=False)
    closes_at = models.DateTimeField(_("closes"), null=True, blank=True, editable=False)

    objects: ClassVar[UserManager] = UserManager()
    all_objects: ClassVar[models.Manager] = models.Manager.from_queryset(UserQuerySet)()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        db_table = "users"
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = (
            models.UniqueConstraint(
                "email_key",
                "alive",
                name="users_email_unique",
                violation_error_message=_("This e-mail address is taken."),
            ),
            models.UniqueConstraint(
                "handle", "alive", name="users_handle_unique", violation_error_message=_("This handle is taken.")
            ),
            models.CheckConstraint(condition=~models.Q(email=""), name="users_email_given"),
            models.CheckConstraint(condition=~models.Q(handle=""), name="users_handle_given"),
        )

    def __str__(self) -> str:
        return display_name(self)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = type(self).objects.normalize_email(self.email)
        self.email_key = normalize_key(self.email)
        self.handle = self.handle or self.free_handle(self.email.partition("@")[0])
        if kwargs.get("update_fields") is not None and "email" in kwargs["update_fields"]:
            kwargs["update_fields"] = {*kwargs["update_fields"], "email_key"}
        super().save(*args, **kwargs)

    def clean(self) -> None:
        super().clean()
        self.email = type(self).objects.normalize_email(self.email)
        self.email_key = normalize_key(self.email)
        self.handle = self.handle or self.free_handle(self.email.partition("@")[0])
        if not is_plain_email(self.email):
            raise ValidationError({"email": _("Write the address in plain letters.")})

    def get_absolute_url(self) -> str:
        return reverse("accounts:person", args=[self.handle])

    @property
    def audit_subject(self) -> Any:
        return self.pk

    @property
    def rows_per_page(self) -> int | None:
        """How many rows a list shows to this person; None where they leave it to the list."""
        rows = self.preferences.get("rows_per_page")
        return rows if rows in ROWS_PER_PAGE else None

    def get_full_name(self) -> str:
        return display_name(self)

    @classmethod
    def free_handle(cls, wish: str) -> str:
        """A handle like `wish` that no living person has; one query."""
        base = "".join(c if c.isascii() and c.isalnum() else "-" for c in wish.lower()).strip("-")[:32] or "person"
        taken = {*RESERVED_HANDLES, *cls.objects.filter(handle__startswith=base).values_list("handle", flat=True)}
        return next(name for name in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if name not in taken)


class Team(BaseModel):
    """A group of people."""

    name = models.CharField(_("name"), max_length=120)
    slug = KeyField(_("slug"), max_length=120, unique=True)
    description = models.TextField(_("description"), blank=True, max_length=2000)
    members = models.ManyToManyField(User, through="TeamMembership", related_name="teams")

    objects: ClassVar[models.Manager] = models.Manager.from_queryset(TeamQuerySet)()

    class Meta:
        db_table = "teams"
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("accounts:team", args=[self.slug])

    @staticmethod
    def slug_of(name: str) -> str:
        """The name as a part of an address, in any script; never empty."""
        return slugify(name, allow_unicode=True)[:100] or "team"


class TeamMembership(BaseModel):
    """A person's seat in a team."""

    class Role(models.TextChoices):
        OWNER = "owner", _("owner")
        MEMBER = "member", _("member")

    team = models.ForeignKey(Team, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=16, choices=Role, default=Role.MEMBER)

    class Meta:
        db_table = "team_memberships"
        verbose_name = _("seat in a team")
        verbose_name_plural = _("seats in teams")
        constraints = (
            models.UniqueConstraint(fields=["team", "user"], name="team_memberships_once"),
            models.CheckConstraint(condition=models.Q(role__in=["owner", "member"]), name="team_memberships_role"),
        )

    def __str__(self) -> str:
        return f"{self.user} · {self.team}"


class Invitation(BaseModel):
    """Somebody's right to sign up where registration is by invitation."""

    email = models.EmailField(_("e-mail address"), max_length=254)
    email_key = KeyField(max_length=254, unique=True, editable=False)
    invited_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="invitations")
    accepted_at = models.DateTimeField(_("accepted"), null=True, blank=True, editable=False)

    class Meta:
        db_table = "invitations"
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")

    def __str__(self) -> str:
        return self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email_key = normalize_key(self.email)
        super().save(*args, **kwargs)


class Closure(BaseModel):
    """The wish that an account be closed, until it is kept after all or closed; the day stands in `closes_at`."""

    user = models.OneToOneField(User, models.CASCADE, related_name="closure")
    asked_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    is_erasure = models.BooleanField(_("erase the person"), default=False)
    plan = models.JSONField(
        _("what becomes of what they made"), default=dict, blank=True, help_text=_("Kind → hand_over or purge.")
    )
    heir = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("to whom it is handed over")
    )
    erasure_id = UUIDField(
        _("erasure"), null=True, blank=True, editable=False, help_text=_("The audit row of an erasure that has begun.")
    )

    class Meta:
        db_table = "account_closures"
        verbose_name = _("closing of an account")
        verbose_name_plural = _("closings of accounts")

    def __str__(self) -> str:
        return str(self.user)

    @property
    def closes_at(self) -> datetime:
        assert self.user.closes_at is not None
        return self.user.closes_at

    @property
    def is_asked_by_others(self) -> bool:
        """Whether staff asked for it: then the person cannot take it back alone."""
        return self.asked_by_id != self.user_id

    @property
    def audit_subject(self) -> Any:
        return self.user_id
