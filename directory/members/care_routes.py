"""Care for the vocabulary, by coordinators: the API, then the pages."""

from typing import Annotated, Any

import msgspec
from litestar import Response, delete, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter, URLEncodedBody
from litestar.response import Redirect

from directory import errors
from directory.accounts.authentication import ActorRequest
from directory.http import pages, problems
from directory.http.listing import SearchText
from directory.languages import marked
from directory.members import decisions, merges, proposals, vocabulary
from directory.members.decisions import Decision, MergeDraft, RefusalDraft
from directory.members.merges import MergePreview, MergeView, TradeDraft, TradeView

Into = Annotated[str, QueryParameter(max_length=40, description="The code of the other trade.")]
Done = Annotated[str, QueryParameter(max_length=20)]
FOUND = 8
LABELS = {
    "label_fr": marked("En français, forme inclusive"),
    "label_masculine": marked("En français, au masculin"),
    "label_feminine": marked("En français, au féminin"),
    "label_nl": marked("En néerlandais"),
    "label_en": marked("En anglais"),
}
NOTICES = {
    "accepted": marked("Le métier est dans la liste. La personne est avertie."),
    "merged": marked("La proposition rejoint ce métier. La personne est avertie."),
    "refused": marked("La proposition est refusée. La personne est avertie."),
    "named": marked("Les libellés sont enregistrés."),
    "joined": marked("Les deux métiers sont réunis."),
    "undone": marked("Les deux métiers sont de nouveau séparés."),
}


@post(
    "/vocabulary/proposals/{proposal_id:int}/accept", operation_id="acceptProposal",
    summary="Make a trade of a proposal, and give it to the proposer", status_code=200,
    tags=["vocabulary"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def accept_proposal(
    request: ActorRequest, proposal_id: FromPath[int], data: JSONBody[TradeDraft]
) -> Decision:
    """For coordinators. The proposer is told by mail, in their language."""
    return await decisions.accept(request.user, proposal_id, data)


@post(
    "/vocabulary/proposals/{proposal_id:int}/merge", operation_id="mergeProposal",
    summary="Let an existing trade stand for a proposal", status_code=200,
    tags=["vocabulary"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def merge_proposal(
    request: ActorRequest, proposal_id: FromPath[int], data: JSONBody[MergeDraft]
) -> Decision:
    """For coordinators. The trade is found by the proposed label, too, from now on."""
    return await decisions.merge(request.user, proposal_id, data)


@post(
    "/vocabulary/proposals/{proposal_id:int}/refuse", operation_id="refuseProposal",
    summary="Refuse a proposal, with the reason", status_code=200,
    tags=["vocabulary"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def refuse_proposal(
    request: ActorRequest, proposal_id: FromPath[int], data: JSONBody[RefusalDraft]
) -> Decision:
    """For coordinators. The proposer reads the reason."""
    return await decisions.refuse(request.user, proposal_id, data)


@get(
    "/vocabulary/trades/{code:str}", operation_id="getTrade", summary="A trade in three languages",
    tags=["vocabulary"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def get_trade(request: ActorRequest, code: FromPath[str]) -> TradeView:
    """For coordinators. The code of a merged trade gives the one that stands for it."""
    return await merges.get(request.user, code)


@put(
    "/vocabulary/trades/{code:str}", operation_id="nameTrade", summary="Give a trade other labels",
    tags=["vocabulary"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def name_trade(
    request: ActorRequest, code: FromPath[str], data: JSONBody[TradeDraft]
) -> TradeView:
    """For coordinators. Newer reference data leaves them alone. `like` says nothing here."""
    return await merges.name(request.user, code, data)


@get(
    "/vocabulary/trades/{code:str}/merge", operation_id="previewMerge",
    summary="Who is concerned by a merge of two trades",
    tags=["vocabulary"], responses=problems.responses(401, 403),
)  # fmt: skip
async def preview_merge(request: ActorRequest, code: FromPath[str], into: Into) -> MergePreview:
    return await merges.preview(request.user, code, into)


@post(
    "/vocabulary/trades/{code:str}/merge", operation_id="mergeTrade", status_code=200,
    summary="Let one trade stand for another",
    tags=["vocabulary"], responses=problems.responses(401, 403),
)  # fmt: skip
async def merge_trade(
    request: ActorRequest, code: FromPath[str], data: JSONBody[MergeDraft]
) -> MergeView:
    """For coordinators. It can be undone for 30 days."""
    return await merges.merge(request.user, code, data.into)


@get(
    "/vocabulary/merges", operation_id="listMerges", summary="Trades that were merged",
    tags=["vocabulary"], responses=problems.responses(401, 403),
)  # fmt: skip
async def list_merges(request: ActorRequest) -> list[MergeView]:
    """For coordinators; the newest first, 100 at most."""
    return await merges.list_merges(request.user)


@delete(
    "/vocabulary/merges/{merge_id:int}", operation_id="undoMerge", summary="Undo a merge",
    tags=["vocabulary"], responses=problems.responses(401, 403, 404, 409),
)  # fmt: skip
async def undo_merge(request: ActorRequest, merge_id: FromPath[int]) -> None:
    """For coordinators. Members who still have the other trade get theirs back."""
    await merges.undo(request.user, merge_id)


class TradeForm(msgspec.Struct):
    """What was typed, as it was typed. into: a code that was picked."""

    label_fr: str = ""
    label_masculine: str = ""
    label_feminine: str = ""
    label_nl: str = ""
    label_en: str = ""
    like: str = ""
    into: str = ""
    reason: str = ""

    @property
    def draft(self) -> TradeDraft:
        labels = {name: getattr(self, name) for name in LABELS}
        return TradeDraft(**labels, like=self.like or None)


@get("/vocabulary/proposals/{proposal_id:int}", include_in_schema=False)
async def proposal_page(
    request: ActorRequest, proposal_id: FromPath[int], q: SearchText = ""
) -> Response[str]:
    return await _proposal(request, proposal_id, q)


async def _proposal(
    request: ActorRequest, proposal_id: int, q: str = "", typed: TradeForm | None = None,
    problem: errors.Malformed | None = None,
) -> Response[str]:  # fmt: skip
    one = await proposals.get(request.user, proposal_id)
    language = pages.language(request)
    found = (await vocabulary.find_trades(q, language, 1, FOUND)).items if q.strip() else []
    near = found or await proposals.nearest(one.label, language)
    return pages.page(
        request, "members/proposal.html", status=400 if problem else 200,
        one=one, near=near, q=q, labels=LABELS, problem=problem.fields[0] if problem else None,
        typed=typed or TradeForm(label_fr=one.label),
    )  # fmt: skip


@post("/vocabulary/proposals/{proposal_id:int}", include_in_schema=False, status_code=303)
async def decide(
    request: ActorRequest, proposal_id: FromPath[int], data: URLEncodedBody[TradeForm],
    act: Annotated[str, QueryParameter(pattern="^(accept|merge|refuse)$")],
) -> Response[str] | Redirect:  # fmt: skip
    try:
        if act == "accept":
            decided = await decisions.accept(request.user, proposal_id, data.draft)
        elif act == "merge":
            decided = await decisions.merge(request.user, proposal_id, MergeDraft(data.into))
        else:
            decided = await decisions.refuse(request.user, proposal_id, RefusalDraft(data.reason))
    except errors.Malformed as problem:  # shown beside the field, with what was typed
        return await _proposal(request, proposal_id, "", data, problem)
    return Redirect(f"/vocabulary/trades?done={decided.answer}", status_code=303)


@get("/vocabulary/trades", include_in_schema=False)
async def trades_page(request: ActorRequest, q: SearchText = "", done: Done = "") -> Response[str]:
    standing = await merges.list_merges(request.user)
    language = pages.language(request)
    found = (await vocabulary.find_trades(q, language, 1, 30)).items if q.strip() else []
    return pages.page(
        request, "members/trades.html",
        q=q, found=found, merges=standing, notice=NOTICES.get(done, ""),
    )  # fmt: skip


@get("/vocabulary/trades/{code:str}", include_in_schema=False)
async def trade_page(
    request: ActorRequest, code: FromPath[str], q: SearchText = "", into: Into = "",
    done: Done = "",
) -> Response[Any]:  # fmt: skip
    trade = await merges.get(request.user, code)
    if trade.code != code:
        return Redirect(f"/vocabulary/trades/{trade.code}", status_code=301)
    return await _trade(request, trade, q, into, done=done)


async def _trade(
    request: ActorRequest, trade: TradeView, q: str = "", into: str = "",
    typed: TradeForm | None = None, problem: errors.Malformed | None = None, done: str = "",
) -> Response[str]:  # fmt: skip
    language = pages.language(request)
    found = (await vocabulary.find_trades(q, language, 1, FOUND)).items if q.strip() else []
    held = TradeForm(**{name: getattr(trade, name) for name in LABELS})
    return pages.page(
        request, "members/trade.html", status=400 if problem else 200,
        trade=trade, q=q, found=[one for one in found if one.code != trade.code], labels=LABELS,
        preview=await merges.preview(request.user, trade.code, into) if into else None,
        typed=typed or held, problem=problem.fields[0] if problem else None,
        notice=NOTICES.get(done, ""), days=merges.UNDO.days,
    )  # fmt: skip


@post("/vocabulary/trades/{code:str}", include_in_schema=False, status_code=303)
async def save_labels(
    request: ActorRequest, code: FromPath[str], data: URLEncodedBody[TradeForm]
) -> Response[str] | Redirect:
    try:
        trade = await merges.name(request.user, code, data.draft)
    except errors.Malformed as problem:  # shown beside the field, with what was typed
        trade = await merges.get(request.user, code)
        return await _trade(request, trade, typed=data, problem=problem)
    return Redirect(f"/vocabulary/trades/{trade.code}?done=named", status_code=303)


@post("/vocabulary/trades/{code:str}/merge", include_in_schema=False, status_code=303)
async def join(
    request: ActorRequest, code: FromPath[str], data: URLEncodedBody[TradeForm]
) -> Redirect:
    await merges.merge(request.user, code, data.into)
    return Redirect("/vocabulary/trades?done=joined", status_code=303)


@post("/vocabulary/merges/{merge_id:int}/undo", include_in_schema=False, status_code=303)
async def separate(request: ActorRequest, merge_id: FromPath[int]) -> Redirect:
    await merges.undo(request.user, merge_id)
    return Redirect("/vocabulary/trades?done=undone", status_code=303)


API = [
    accept_proposal, merge_proposal, refuse_proposal, get_trade, name_trade, preview_merge,
    merge_trade, list_merges, undo_merge,
]  # fmt: skip
PAGES = [
    proposal_page, decide, trades_page, trade_page, save_labels, join, separate,
]  # fmt: skip
