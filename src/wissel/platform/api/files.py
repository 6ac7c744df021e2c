"""Files at the door: sealed bytes in and out, larger than anything else here. Nobody here can open them."""

from typing import Annotated, Any, Final, Literal

from litestar import Request, Response, Router, get, post
from litestar.params import PathParameter, QueryParameter

from wissel.client.words import Upload, Uploaded
from wissel.messages.envelope import URN, UUID
from wissel.messages.files import JWE_BYTES_MAX
from wissel.platform.api.access import allowed, caller_of
from wissel.platform.api.errors import NotJson
from wissel.platform.api.ports import Files

JOSE: Final = "application/jose"
DIGEST: Final = r"^[A-Za-z0-9_-]{43}$(?!\n)"


def files_router(files: Files) -> Router:
    """Return what lies below /v1/files."""

    @post(
        "/",
        access=allowed("messages"),
        operation_id="uploadFile",
        request_max_body_size=JWE_BYTES_MAX,
    )
    async def upload(
        request: Request[Any, Any, Any],
        process: Annotated[str, QueryParameter(pattern=UUID, description="The process of the message that names it.")],
        recipient: Annotated[str, QueryParameter(pattern=URN, description="The party to whose key it is sealed.")],
        dataclass: Annotated[
            Literal["personal", "special"], QueryParameter(description="Special: an identity scan.")
        ] = "personal",
    ) -> Response[Uploaded]:
        """Upload a sealed file, before the message that names it. The same bytes again give the same answer, 200."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JOSE:
            raise NotJson(f"A file is sent as {JOSE}: a compact JWE.", field="Content-Type")
        asked = Upload(process=process, recipient=recipient, dataclass=dataclass)
        digest, first = await files.upload(caller_of(request), asked, await request.body())
        return Response(Uploaded(file=digest), status_code=201 if first else 200)

    @get("/{file:str}", access=allowed("mailbox"), media_type=JOSE, operation_id="readFile")
    async def download(
        request: Request[Any, Any, Any],
        file: Annotated[str, PathParameter(pattern=DIGEST, description="The SHA-256 of its sealed form.")],
    ) -> bytes:
        """Read a sealed file that a message to you names, while that message waits for you or is not settled."""
        return await files.download(caller_of(request), file)

    return Router("/v1/files", route_handlers=[upload, download], tags=["files"])
