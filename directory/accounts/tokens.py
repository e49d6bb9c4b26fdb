"""API tokens, for programs."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from directory import db, errors
from directory.accounts import secrets
from directory.accounts.actor import Scope
from directory.accounts.tables import ApiToken
from directory.languages import marked

LIFETIME = timedelta(days=365)


async def create(email: str, scopes: Collection[Scope], name: str = "filieres token create") -> str:
    """A new token's secret, shown this once, for the account of this address.

    :raises errors.NotFound: when nobody has this address.
    """
    secret = secrets.make()
    moment = datetime.now(UTC)
    async with db.transaction() as opened:
        account_id = await opened.fetchval("SELECT id FROM account WHERE email = $1", email)
        if account_id is None:
            raise errors.NotFound(marked("Aucun compte n’a l’adresse %(email)s."), email=email)
        await ApiToken.insert(
            ApiToken(
                account_id=account_id,
                name=name,
                token_hash=secrets.digest(secret),
                scopes=sorted(scope.value for scope in scopes),
                created_at=moment,
                expires_at=moment + LIFETIME,
            )
        )
    return secret
