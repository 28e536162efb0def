"""The bucket: posting an object with a presigned form, as S3 does it (platform API reference).

The policy is checked before the first byte of the file is looked at; bytes go to disk as they come; the object exists
from one moment to the next, and the last write of a key wins.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from .config import BUCKET
from .faults import ConnectionReset
from .faults.bucket import REQUEST_TIMEOUT
from .forms import FormError, FormReader, TooMuchFormData, arriving
from .platform import Platform
from .replies import BucketRefusal, bucket_error, xml
from .sigv4 import REGION, verify

MAX_FORM_BYTES = 20 * 1024  # form data beside the file (Amazon S3 documentation)
MAX_KEY_BYTES = 1024
# Pages of any origin may post here: the form is the credential, and no cookie or key is ever involved.
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "ETag, Location"}
SECOND_ADDRESS = f"{BUCKET}.{REGION}"  # where a redirect leads: the same bucket, as its region spells it
PREFLIGHT = {"Access-Control-Allow-Methods": "POST", "Access-Control-Max-Age": "3000"}


class _Idle(BucketRefusal):
    """Nothing came for too long."""


async def bucket(request: Request) -> Response:
    """Answer anything sent to ``/bucket/<name>/``."""
    try:
        response = await _answer(request)
    except BucketRefusal as refusal:
        response = bucket_error(refusal)
        if isinstance(refusal, _Idle):
            response.headers["Connection"] = "close"
    except (ClientDisconnect, ConnectionReset):
        response = Response(status_code=400)  # goes nowhere: the connection is gone
    platform: Platform = request.app.state.platform
    if platform.config.choices.bucket_cors:
        response.headers.update(CORS)
    return response


async def _answer(request: Request) -> Response:
    if request.method == "OPTIONS":
        if not request.app.state.platform.config.choices.bucket_cors:
            raise BucketRefusal("AccessForbidden", "CORSResponse: CORS is not enabled for this bucket.")
        wanted = request.headers.get("Access-Control-Request-Headers")
        allowed = {"Access-Control-Allow-Headers": wanted} if wanted else {}
        return Response(headers=PREFLIGHT | allowed)
    address = request.path_params["bucket"]
    if address not in (BUCKET, SECOND_ADDRESS):
        raise BucketRefusal("NoSuchBucket", "The specified bucket does not exist.")
    if request.method != "POST":
        raise BucketRefusal("MethodNotAllowed", "The specified method is not allowed against this resource.")
    platform: Platform = request.app.state.platform
    response = await platform.faults.on_request("bucket")
    if response is None and address == BUCKET and platform.faults.redirects():
        response = _redirect(request)
    return response or await _post(request, platform)


def _redirect(request: Request) -> Response:
    location = str(request.url.replace(path=f"/bucket/{SECOND_ADDRESS}/"))
    elements: dict[str, object] = {
        "Code": "TemporaryRedirect",
        "Message": "Please re-send this request to the specified temporary endpoint. "
        "Continue to use the original request endpoint for future requests.",
        "Bucket": BUCKET,
        "Endpoint": location,
    }
    response = xml(307, "Error", elements)
    response.headers["Location"] = location
    return response


async def _post(request: Request, platform: Platform) -> Response:
    length = request.headers.get("Content-Length")
    if length is None:
        raise BucketRefusal("MissingContentLength", "You must provide the Content-Length HTTP header.")
    post = _Post(platform, int(length))
    try:
        reader = FormReader(
            request.headers.get("Content-Type", ""),
            platform.store,
            on_file=post.check,
            max_field_bytes=MAX_FORM_BYTES,
            file_last=True,
        )
        try:
            await reader.read(_pieces(request, platform))
            if reader.file is None:
                raise BucketRefusal("InvalidArgument", "POST requires exactly one file upload per request.")
            post.check_size(reader.file.size)
            received, reader.file = reader.file, None
            blob = await platform.objects.put(post.key, received)
        finally:
            if reader.file is not None:
                reader.file.discard()
    except TimeoutError:
        raise _Idle(*REQUEST_TIMEOUT) from None
    except TooMuchFormData:
        raise BucketRefusal(
            "MaxPostPreDataLengthExceeded",
            "Your POST request fields preceding the upload file were too large.",
            MaxPostPreDataLengthBytes=MAX_FORM_BYTES,
        ) from None
    except FormError as error:
        raise BucketRefusal(
            "MalformedPOSTRequest", f"The body of your POST request is not well-formed: {error}"
        ) from None
    except OSError as error:
        raise BucketRefusal("InternalError", f"The object could not be stored: {error.strerror}.") from None
    return _success(request, post, blob)


async def _pieces(request: Request, platform: Platform) -> AsyncIterator[bytes]:
    connection = request.scope.get("state", {}).get("connection")
    async for piece in arriving(request, platform.config.idle_timeout_s):
        await platform.faults.on_bytes(connection, len(piece))
        yield piece


class _Post:
    """One object on its way into the bucket."""

    def __init__(self, platform: Platform, content_length: int) -> None:
        self.key = ""
        self.fields: dict[str, str] = {}
        self._platform = platform
        self._content_length = content_length
        self._smallest, self._largest = 0, float("inf")

    def check(self, filename: str, fields: dict[str, str]) -> None:
        """Everything that can be known before the file's first byte."""
        if not filename:
            raise BucketRefusal("InvalidArgument", "POST requires exactly one file upload per request.")
        self.fields = {name.lower(): value for name, value in fields.items()}
        # Only what follows the last separator counts, as S3 documents it for ${filename}.
        basename = filename.replace("\\", "/").rpartition("/")[2]
        self.key = self.fields["key"] = self.fields.get("key", "").replace("${filename}", basename)
        size = len(self.key.encode())
        if size > MAX_KEY_BYTES:
            raise BucketRefusal("KeyTooLongError", "Your key is too long", Size=size, MaxSizeAllowed=MAX_KEY_BYTES)
        platform = self._platform
        self._smallest, self._largest = verify(
            platform.credentials, self.fields, bucket=BUCKET, now=platform.config.clock()
        )
        self._largest = min(self._largest, platform.faults.object_limit)
        self._refuse_size_over(self._content_length - 2 * MAX_FORM_BYTES)  # certain already: spare the sending

    def check_size(self, size: int) -> None:
        """What is known only once the file is there."""
        self._refuse_size_over(size)
        if size < self._smallest:
            raise BucketRefusal(
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
                ProposedSize=size,
                MinSizeAllowed=self._smallest,
            )

    def _refuse_size_over(self, size: int) -> None:
        if size > self._largest:
            raise BucketRefusal(
                "EntityTooLarge",
                "Your proposed upload exceeds the maximum allowed size",
                ProposedSize=size,
                MaxSizeAllowed=int(self._largest),
            )


def _success(request: Request, post: _Post, blob: str) -> Response:
    etag = f'"{blob}"'  # as for encrypted objects of S3, not the MD5 of the content
    location = str(request.url.replace(path=f"{request.url.path}{quote(post.key)}"))
    headers = {"ETag": etag, "Location": location}
    match post.fields.get("success_action_status"):
        case "200":
            return Response(status_code=200, headers=headers)
        case "201":
            elements: dict[str, object] = {"Location": location, "Bucket": BUCKET, "Key": post.key, "ETag": etag}
            response = xml(201, "PostResponse", elements)
            response.headers.update(headers)
            return response
        case _:
            return Response(status_code=204, headers=headers)
