"""Reading multipart forms piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from deepset_nb.emulator.forms import FormError, FormReader, TooMuchFormData
from deepset_nb.emulator.store import Store

BODY = (
    b'--limit\r\nContent-Disposition: form-data; name="key"\r\n\r\n\xc3\xa4\r\n'
    b'--limit\r\nContent-Disposition: form-data; name="empty"\r\n\r\n\r\n'
    b'--limit\r\nContent-Disposition: form-data; name="file"; filename="a \xc3\xa4.bin"\r\n'
    b"Content-Type: text/plain\r\n\r\n--limi\r\n--limit\0\r\n\r\n\r\n--limit--\r\n"
)
CONTENT = b"--limi\r\n--limit\0\r\n\r\n"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.close()


def read(store: Store, pieces: list[bytes], **options) -> FormReader:
    defaults = {"on_file": lambda name, fields: None, "max_field_bytes": 1000, "file_last": True}
    reader = FormReader("multipart/form-data; boundary=limit", store, **defaults | options)

    async def chunks() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    asyncio.run(reader.read(chunks()))
    return reader


def test_a_form_is_read_alike_wherever_it_is_cut(store):
    for cut in range(len(BODY)):
        reader = read(store, [BODY[:cut], BODY[cut:]])
        assert reader.fields == {"key": "ä", "empty": ""}
        assert reader.filename == "a ä.bin"
        assert store.blob_path(reader.file.keep()).read_bytes() == CONTENT


def test_a_form_is_read_alike_byte_by_byte(store):
    reader = read(store, [bytes([byte]) for byte in BODY])
    assert store.blob_path(reader.file.keep()).read_bytes() == CONTENT


def test_the_fields_before_the_file_are_known_before_its_first_byte(store):
    known = []
    read(store, [BODY], on_file=lambda name, fields: known.append((name, dict(fields))))
    assert known == [("a ä.bin", {"key": "ä", "empty": ""})]


@pytest.mark.parametrize("kept", range(0, len(BODY) - 4, 7))
def test_a_form_that_ends_early_is_an_error(store, kept):
    with pytest.raises(FormError):
        read(store, [BODY[:kept]])


def test_fields_over_the_limit_are_an_error(store):
    with pytest.raises(TooMuchFormData):
        read(store, [BODY], max_field_bytes=1)


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "multipart/form-data", "multipart/form-data; boundary="]
)
def test_a_header_without_a_boundary_is_an_error(store, content_type):
    with pytest.raises(FormError):
        FormReader(content_type, store, on_file=lambda name, fields: None, max_field_bytes=1, file_last=True)


def test_a_discarded_body_leaves_no_file(store, tmp_path):
    large = BODY.replace(CONTENT, bytes(3_000_000))
    reader = read(store, [large[i : i + 100_000] for i in range(0, len(large), 100_000)])
    assert len(list((tmp_path / "incoming").iterdir())) == 1
    reader.file.discard()
    assert list((tmp_path / "incoming").iterdir()) == []
