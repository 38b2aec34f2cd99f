"""A spoken answer: a tenth of a second of silence, playable in the format asked for."""

import base64
import struct
from functools import cache

from mockchat.payloads.draw import Draw
from mockchat.payloads.names import audio_id
from mockchat.types import JsonObject

_RATE = 24_000  # Hz, as the service speaks; mono, 16 bits
_SAMPLES = 2_560  # a whole number of every format's frames
_KEPT_FOR = 3_600  # seconds until the service forgets an answer

_FLAC_BLOCK = 256
_AAC_FRAME = bytes((0x00, 0xC8, 0x00, 0x80, 0x23, 0x80))  # one silent mono AAC-LC frame
_OPUS_FRAME = bytes((0xF8, 0xFF, 0xFE))  # 20 ms of silence
_OPUS_RATE = 48_000  # the clock of Ogg Opus, whatever the input's


def audio_of(transcript: str, audio_format: str, created: int, draw: Draw) -> JsonObject:
    """Return the audio object that says `transcript`."""
    return {
        "id": audio_id(draw),
        "data": base64.b64encode(silence(audio_format)).decode("ascii"),
        "expires_at": created + _KEPT_FOR,
        "transcript": transcript,
    }


@cache
def silence(audio_format: str) -> bytes:
    """Return silence as wav, pcm16, mp3, flac, aac or opus; wav for a format unknown here."""
    return {"pcm16": _pcm16, "mp3": _mp3, "flac": _flac, "aac": _aac, "opus": _opus}.get(
        audio_format, _wav
    )()


def _pcm16() -> bytes:
    return bytes(2 * _SAMPLES)


def _wav() -> bytes:
    samples = _pcm16()
    layout = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, _RATE, 2 * _RATE, 2, 16)
    body = b"WAVE" + layout + struct.pack("<4sI", b"data", len(samples)) + samples
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def _mp3() -> bytes:
    # MPEG-2 layer III, 24 kHz, mono, 32 kbit/s; no bits of sound in any granule.
    frame = bytes((0xFF, 0xF3, 0x44, 0xC0)).ljust(72 * 32_000 // _RATE, b"\0")
    return frame * (_SAMPLES // 576 + 1)


def _aac() -> bytes:
    length = 7 + len(_AAC_FRAME)
    header = bytes((0xFF, 0xF1, 0x58, 0x40, length >> 3, (length & 7) << 5 | 0x1F, 0xFC))
    return (header + _AAC_FRAME) * (_SAMPLES // 1024 + 1)


def _flac() -> bytes:
    packed = _RATE << 44 | (16 - 1) << 36 | _SAMPLES  # rate, one channel, bits, samples
    # The frame sizes (two of 24 bits) and the digest are zeros: "not known".
    stream = struct.pack(">HH6xQ16x", _FLAC_BLOCK, _FLAC_BLOCK, packed)
    frames = b"".join(_flac_frame(number) for number in range(_SAMPLES // _FLAC_BLOCK))
    return b"fLaC" + bytes((0x80, 0, 0, len(stream))) + stream + frames


def _flac_frame(number: int) -> bytes:
    header = bytes((0xFF, 0xF8, 0x87, 0x08, number))
    header += bytes((_crc(header, 0x07, 8),))
    frame = header + bytes(3)  # one constant subframe of the value 0
    return frame + struct.pack(">H", _crc(frame, 0x8005, 16))


def _opus() -> bytes:
    head = struct.pack("<8sBBHIhB", b"OpusHead", 1, 1, 0, _RATE, 0, 0)
    tags = struct.pack("<8sI8sI", b"OpusTags", 8, b"mockchat", 0)
    frames = _SAMPLES * (_OPUS_RATE // _RATE) // 960 + 1
    pages = [_ogg_page(0, 0x02, 0, [head]), _ogg_page(1, 0, 0, [tags])]
    return b"".join([*pages, _ogg_page(2, 0x04, frames * 960, [_OPUS_FRAME] * frames)])


def _ogg_page(number: int, flags: int, position: int, packets: list[bytes]) -> bytes:
    sizes = bytes(map(len, packets))
    body = b"".join(packets)
    head = (b"OggS", 0, flags, position, 1, number)
    blank = struct.pack("<4sBBqIIIB", *head, 0, len(sizes)) + sizes + body
    sum_ = _crc(blank, 0x04C11DB7, 32)
    return struct.pack("<4sBBqIIIB", *head, sum_, len(sizes)) + sizes + body


def _crc(data: bytes, polynomial: int, width: int) -> int:
    register = 0
    for byte in data:
        register ^= byte << (width - 8)
        for _ in range(8):
            register <<= 1
            if register >> width:
                register ^= polynomial | 1 << width
    return register
