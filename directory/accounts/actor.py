"""Who acts, and what they may do. Every permission of the service is in this file."""

import enum
from uuid import UUID

import msgspec

from directory import errors
from directory.languages import marked


class Role(enum.Enum):
    ADMINISTRATOR = "administrator"
    COORDINATOR = "coordinator"
    AMBASSADOR = "ambassador"
    ANIMATOR = "animator"


class Permission(enum.Enum):
    READ_MEMBERS = "read_members"
    EDIT_PROFILE = "edit_profile"
    JOIN_FILIERE = "join_filiere"
    WRITE_TO_FILIERE = "write_to_filiere"
    LIST_EVENTS = "list_events"
    RUN_FILIERES = "run_filieres"
    TEND_FILIERE = "tend_filiere"
    PROPOSE_FILIERE = "propose_filiere"
    PROPOSE_TRADE = "propose_trade"
    KEEP_VOCABULARY = "keep_vocabulary"
    EXPORT_OWN = "export_own"
    IMPORT_MEMBERS = "import_members"
    READ_AUDIT = "read_audit"
    READ_PROOFS = "read_proofs"
    MANAGE_ROLES = "manage_roles"
    NAME_ANIMATORS = "name_animators"
    WRITE_TO_MEMBER = "write_to_member"


class Scope(enum.Enum):
    """What an API token may be used for. It never does more than its account."""

    MEMBERS_READ = "members:read"
    PROFILE_WRITE = "profile:write"
    FILIERES_WRITE = "filieres:write"
    MAILINGS_WRITE = "mailings:write"
    EVENTS_WRITE = "events:write"
    VOCABULARY_WRITE = "vocabulary:write"
    ACCOUNT_EXPORT = "account:export"
    MEMBERS_IMPORT = "members:import"
    OBSERVATORY_READ = "observatory:read"
    WEBHOOKS_WRITE = "webhooks:write"


class Grant(msgspec.Struct, frozen=True):
    """A role, everywhere (scope '') or in one place ('filiere:12')."""

    role: Role
    scope: str = ""


EVERYWHERE = ""

# Which roles of an account allow what. A grant counts everywhere, or in the scope that is asked.
ALLOWED_BY_ROLE: dict[Permission, frozenset[Role]] = {
    Permission.READ_MEMBERS: frozenset({Role.ADMINISTRATOR, Role.COORDINATOR}),
    Permission.WRITE_TO_FILIERE: frozenset({Role.ANIMATOR}),
    # An ambassador helps to run a filière; only its animators write to its members.
    Permission.LIST_EVENTS: frozenset(
        {Role.ANIMATOR, Role.AMBASSADOR, Role.COORDINATOR, Role.ADMINISTRATOR}
    ),
    Permission.RUN_FILIERES: frozenset({Role.COORDINATOR, Role.ADMINISTRATOR}),
    # Its texts, method sheet, requests to join: by who animates it, or the staff in their place.
    Permission.TEND_FILIERE: frozenset({Role.ANIMATOR, Role.COORDINATOR, Role.ADMINISTRATOR}),
    Permission.KEEP_VOCABULARY: frozenset({Role.COORDINATOR, Role.ADMINISTRATOR}),
    Permission.IMPORT_MEMBERS: frozenset({Role.COORDINATOR, Role.ADMINISTRATOR}),
    Permission.READ_AUDIT: frozenset({Role.COORDINATOR, Role.ADMINISTRATOR}),
    Permission.READ_PROOFS: frozenset({Role.COORDINATOR, Role.ADMINISTRATOR}),
    Permission.MANAGE_ROLES: frozenset({Role.ADMINISTRATOR}),
    Permission.NAME_ANIMATORS: frozenset({Role.COORDINATOR, Role.ADMINISTRATOR}),
    Permission.WRITE_TO_MEMBER: frozenset({Role.COORDINATOR, Role.ADMINISTRATOR}),
}
# What every member may do for themselves.
ALLOWED_TO_MEMBERS = frozenset(
    {
        Permission.READ_MEMBERS,
        Permission.EDIT_PROFILE,
        Permission.JOIN_FILIERE,
        Permission.PROPOSE_FILIERE,
        Permission.PROPOSE_TRADE,
        Permission.WRITE_TO_MEMBER,
    }
)
# What everybody with an account may do about themselves, a member or not.
ALLOWED_TO_ACCOUNTS = frozenset({Permission.EXPORT_OWN})
# What a token needs for each. A permission that is not here is for a person at a screen alone.
TOKEN_SCOPES: dict[Permission, Scope] = {
    Permission.READ_MEMBERS: Scope.MEMBERS_READ,
    Permission.EDIT_PROFILE: Scope.PROFILE_WRITE,
    Permission.JOIN_FILIERE: Scope.PROFILE_WRITE,
    Permission.WRITE_TO_FILIERE: Scope.MAILINGS_WRITE,
    Permission.LIST_EVENTS: Scope.EVENTS_WRITE,
    Permission.RUN_FILIERES: Scope.FILIERES_WRITE,
    Permission.TEND_FILIERE: Scope.FILIERES_WRITE,
    Permission.PROPOSE_FILIERE: Scope.FILIERES_WRITE,
    Permission.PROPOSE_TRADE: Scope.PROFILE_WRITE,
    Permission.KEEP_VOCABULARY: Scope.VOCABULARY_WRITE,
    Permission.WRITE_TO_MEMBER: Scope.PROFILE_WRITE,
    Permission.EXPORT_OWN: Scope.ACCOUNT_EXPORT,
    Permission.IMPORT_MEMBERS: Scope.MEMBERS_IMPORT,
    Permission.READ_AUDIT: Scope.MEMBERS_READ,
    Permission.READ_PROOFS: Scope.MEMBERS_READ,
}


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """A person at a screen, a program with a token, or a visitor who is neither."""

    account_id: int | None = None
    member_id: int | None = None
    email: str = ""
    name: str = ""
    language: str | None = None
    grants: frozenset[Grant] = frozenset()
    session_id: UUID | None = None
    token_id: int | None = None
    token_scopes: frozenset[Scope] | None = None
    """None for a person at a screen: not limited by a token."""

    @property
    def is_visitor(self) -> bool:
        return self.account_id is None

    @property
    def is_animator(self) -> bool:
        return bool(self.scopes(Role.ANIMATOR))

    @property
    def reads_audit(self) -> bool:
        return self.may(Permission.READ_AUDIT)

    @property
    def reads_proofs(self) -> bool:
        return self.may(Permission.READ_PROOFS)

    @property
    def imports_members(self) -> bool:
        return self.may(Permission.IMPORT_MEMBERS)

    @property
    def names_animators(self) -> bool:
        return self.may(Permission.NAME_ANIMATORS)

    @property
    def keeps_vocabulary(self) -> bool:
        return self.may(Permission.KEEP_VOCABULARY)

    def may(self, permission: Permission, scope: str = EVERYWHERE) -> bool:
        if self.token_scopes is not None and TOKEN_SCOPES.get(permission) not in self.token_scopes:
            return False
        if self.account_id is not None and permission in ALLOWED_TO_ACCOUNTS:
            return True
        if self.member_id is not None and permission in ALLOWED_TO_MEMBERS:
            return True
        roles = ALLOWED_BY_ROLE.get(permission, frozenset())
        return any(
            grant.role in roles and grant.scope in {EVERYWHERE, scope} for grant in self.grants
        )

    @property
    def usable_scopes(self) -> list[Scope]:
        """The scopes that let a token of this person do something, somewhere."""
        roles = {grant.role for grant in self.grants}
        own = ALLOWED_TO_MEMBERS if self.member_id is not None else frozenset()
        usable = {
            scope
            for permission, scope in TOKEN_SCOPES.items()
            if permission in own or roles & ALLOWED_BY_ROLE.get(permission, frozenset())
        }
        return [scope for scope in Scope if scope in usable]

    def require(self, permission: Permission, scope: str = EVERYWHERE) -> None:
        """:raises errors.SignInNeeded: for a visitor. :raises errors.Forbidden: for others."""
        if self.may(permission, scope):
            return
        if self.is_visitor:
            raise errors.SignInNeeded
        if self.token_scopes is not None:
            needed = TOKEN_SCOPES.get(permission)
            if needed is None:
                self.require_person()
            elif needed not in self.token_scopes:
                raise _lacks(needed)
        raise errors.Forbidden(marked("Votre compte n’a pas accès à cette action."))

    def require_member(self) -> int:
        """The member's id. :raises errors.SignInNeeded: or Forbidden, when there is none."""
        if self.is_visitor:
            raise errors.SignInNeeded
        if self.member_id is None:
            raise errors.Forbidden(marked("Votre compte n’est pas celui d’un membre."))
        return self.member_id

    def require_person(self) -> int:
        """The account's id, of a person at a screen.

        :raises errors.SignInNeeded: for a visitor. :raises errors.Forbidden: for a token.
        """
        if self.account_id is None:
            raise errors.SignInNeeded
        if self.token_scopes is not None:
            raise errors.Forbidden(
                marked("Un jeton ne fait pas cela. Connectez-vous dans un navigateur.")
            )
        return self.account_id

    def require_account(self, scope: Scope) -> int:
        """The account's id: of any person at a screen, or of a token that has this scope.

        :raises errors.SignInNeeded: for a visitor. :raises errors.Forbidden: for other tokens.
        """
        if self.account_id is None:
            raise errors.SignInNeeded
        if self.token_scopes is not None and scope not in self.token_scopes:
            raise _lacks(scope)
        return self.account_id

    def scopes(self, role: Role) -> set[str]:
        """Where the actor has this role: '' or 'filiere:<id>'."""
        return {grant.scope for grant in self.grants if grant.role is role}


def _lacks(scope: Scope) -> errors.Forbidden:
    return errors.Forbidden(marked("Ce jeton n’a pas le droit « %(scope)s »."), scope=scope.value)


VISITOR = Actor()
OPERATOR = Actor(grants=frozenset({Grant(Role.ADMINISTRATOR)}))
"""Who has the command line: nobody's account, with what an administrator may do."""


def filiere_scope(filiere_id: int) -> str:
    return f"filiere:{filiere_id}"
