"""The proof of a mail, for the coordination. Reading it changes nothing but the log of who did."""

from typing import Annotated

from litestar import Response, get
from litestar.params import FromPath, QueryParameter

from directory.accounts.actor import Permission
from directory.accounts.authentication import ActorRequest
from directory.http import pages, problems
from directory.languages import marked
from directory.mailings import proofs
from directory.mailings.proofs import Proof
from directory.subscriptions import history

MemberNumber = Annotated[
    int, QueryParameter(name="member", ge=1, le=2**63 - 1, description="A member's number.")
]
STATES = {
    "queued": marked("en attente"),
    "claimed": marked("en attente"),
    "sending": marked("en train de partir"),
    "sent": marked("envoyé"),
    "deferred": marked("remis à plus tard"),
    "failed": marked("refusé"),
    "skipped": marked("pas envoyé"),
    "in_doubt": marked("peut-être envoyé, en doute"),
}


@get(
    "/mailings/{mailing_id:int}/proofs", operation_id="getMailingProof",
    summary="Why one person got a mailing, with the consent that allowed it",
    tags=["mailings"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def get_proof(
    request: ActorRequest, mailing_id: FromPath[int], member: MemberNumber
) -> Proof:
    """For the coordination. That it was read is noted in the audit log."""
    return await proofs.get(request.user, mailing_id, member, pages.language(request))


@get("/mailings/{mailing_id:int}/proofs", include_in_schema=False)
async def proof_page(
    request: ActorRequest, mailing_id: FromPath[int], member: MemberNumber
) -> Response[str]:
    language = pages.language(request)
    return pages.page(
        request, "mailings/proof.html",
        proof=await proofs.get(request.user, mailing_id, member, language), states=STATES,
        acts=history.ACTS,
    )  # fmt: skip


@get("/proofs", include_in_schema=False)
async def proofs_page(
    request: ActorRequest,
    member: Annotated[
        str, QueryParameter(pattern="^[0-9]{0,18}$", description="A member's number.")
    ] = "",
) -> Response[str]:
    request.user.require(Permission.READ_PROOFS)
    found = await proofs.list_of(request.user, int(member)) if member.strip("0") else None
    return pages.page(request, "mailings/proofs.html", member=member, found=found, states=STATES)


API = [get_proof]
PAGES = [proof_page, proofs_page]
