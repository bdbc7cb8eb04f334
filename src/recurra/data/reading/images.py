"""Images, read row by row or pixel by pixel, and videos, a folder of numbered images each."""

from __future__ import annotations

import os
import re
import struct
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from recurra.data.offsets import offsets_of
from recurra.data.reading.arrays import check_finite
from recurra.data.reading.folders import find_files, read_labels
from recurra.data.reading.numbers import numbers_of
from recurra.data.sequences import SequenceDataset, Stream
from recurra.data.tables.files import opened
from recurra.errors import DataError, FileError, OptionError, need
from recurra.types import Array, Booleans, Integers

__all__ = ["IMAGE_ENDINGS", "from_images"]

IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
READS = ("rows", "pixels", "frames")
COLOURS = {
    1: ("grey",),
    2: ("grey", "alpha"),
    3: ("red", "green", "blue"),
    4: ("red", "green", "blue", "alpha"),
}
KEPT = {"L", "LA", "RGB", "RGBA", "I;16", "I;16B", "I", "F"}
MODES = {"grey": "L", "rgb": "RGB"}
MOST_PIXELS = 2**26

Read = Literal["rows", "pixels", "frames"]


def from_images(
    source: Any,
    y: Any = None,
    *,
    read: Read = "rows",
    size: tuple[int, int] | None = None,
    colours: Literal["grey", "rgb"] | None = None,
    labels_from: str | re.Pattern[str] = "folder",
) -> SequenceDataset:
    r"""Read images, one record each, or videos.

    Black and white becomes grey of 0 and 255, a palette its colours, a turned photograph is set
    upright. Grey, colours, transparency and 16 bits stay as they are; uint8 stays uint8. CMYK and
    other ways to write colours are refused, since only a colour profile could translate them, and
    so are files of several images.

    Parameters
    ----------
    source : str, Path, iterable of these, ndarray, or list of ndarray
        A folder of images, with those below it (for ``"frames"``: each folder that has images in it
        is a video, in natural order of their names); image files; an array of shape (records,
        height, width) or (records, height, width, colours), with steps before the height for
        ``"frames"``; or a list of such arrays, one a record. NaN is a missing value; an image of
        ``"frames"`` with NaN in it is missing as a whole.
    y : array-like, optional
        One label or number for each record.
    read : {"rows", "pixels", "frames"}
        Whether a step is a row of the image (its channels are columns times colours), a pixel, line
        by line, or a whole image.
    size : (int, int), optional
        Height and width all files are brought to. By default they must have the same size; rows
        may differ in number.
    colours : {"grey", "rgb"}, optional
        What all files are brought to; transparency is dropped. By default they must be alike.
    labels_from : {"folder"}, str or re.Pattern
        The folder an image (or the folder of a video) lies in, where there is one; or a regular
        expression searched in its path below `source`, as in `from_audio`.

    Returns
    -------
    SequenceDataset
        With a stream ``"image"``, of kind ``"frames"`` where whole images are steps.

    Raises
    ------
    FileError
        If a file is no image, cut off, damaged, too large, or written in another way.
    DataError
        If sizes or colours differ, or an array has another shape.

    Examples
    --------
    >>> digits = np.zeros((2, 28, 28), np.uint8)
    >>> from_images(digits, ["one", "seven"])
    SequenceDataset(2 records; image: 28 channels, 28 steps; targets: y)
    >>> from_images(digits, read="pixels").stream.values.dtype
    dtype('uint8')
    """
    if read not in READS:
        raise OptionError(f"read={read!r}, but it is one of {READS}.")
    if colours is not None and colours not in MODES:
        raise OptionError(f"colours={colours!r}, but it is 'grey' or 'rgb'.")
    if size is not None and (np.shape(size) != (2,) or min(size) < 1):
        raise OptionError(f"size={size!r}, but (height, width) is read, such as (28, 28).")
    if _are_arrays(source):
        if size is not None or colours is not None or labels_from != "folder":
            raise OptionError("size, colours and labels_from are for files, but arrays came.")
        images = _arrays(source, read)
        ids: tuple[Any, ...] = tuple(range(len(images)))
        parted = False
    else:
        images, ids = _files(source, read, size, colours)
        parted = labels_from != "folder" or any("/" in name for name in ids)
    stream = _stream(images, ids, read)
    if y is not None and labels_from == "folder":
        parted = False
    from_names = labels_from if parted else None
    targets, groups = read_labels(y, from_names, ids, stream.lengths, "image")
    return SequenceDataset(ids, {"image": stream}, targets=targets, groups=groups)


def _are_arrays(source: Any) -> bool:
    """Tell arrays from files."""
    if isinstance(source, str | os.PathLike):
        return False
    if hasattr(source, "shape"):
        return True
    return isinstance(source, list | tuple) and len(source) > 0 and hasattr(source[0], "shape")


def _arrays(source: Any, read: Read) -> list[Array]:
    """Read arrays, each (height, width, colours), or (steps, height, width, colours)."""
    axes = 3 if read == "frames" else 2
    if hasattr(source, "shape"):
        given = list(numbers_of(source, "image"))
    else:
        given = [numbers_of(each, "image", record=place) for place, each in enumerate(source)]
    images = []
    for place, image in enumerate(given):
        image = image[..., None] if image.ndim == axes else image
        if image.ndim != axes + 1 or image.shape[-1] not in COLOURS:
            steps = "steps, " if read == "frames" else ""
            message = f"An image has shape {image.shape}"
            message += f", but ({steps}height, width) or ({steps}height, width, colours) is read"
            hint = "Colours come last, and are 1 to 4; one image alone is x[None]."
            raise DataError(message, code="shape", record=place, hint=hint)
        images.append(image)
    if not images:
        raise DataError("There are no images", code="empty", hint="Give at least one.")
    return images


def _files(
    source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    read: Read,
    size: tuple[int, int] | None,
    colours: str | None,
) -> tuple[list[Array], tuple[str, ...]]:
    """Read files, and name the records."""
    files = find_files(source, IMAGE_ENDINGS)
    if read != "frames":
        images = [_image(path, size, colours) for path in files.values()]
        return images, tuple(files)
    videos: dict[str, dict[str, Path]] = {}
    one = not any("/" in name for name in files)
    for name, path in files.items():
        video = path.absolute().parent.name if one else Path(name).parent.as_posix()
        videos.setdefault(video, {})[name] = path
    records = []
    for frames in videos.values():
        images = [_image(path, size, colours) for path in frames.values()]
        _check_alike(images, tuple(frames), read)
        records.append(np.stack(images))
    return records, tuple(videos)


def _image(path: Path, size: tuple[int, int] | None, colours: str | None) -> Array:
    """Read one file, shape (height, width, colours)."""
    pillow = need("PIL.Image", extra="image", purpose="Reading images")
    turned = need("PIL.ImageOps", extra="image", purpose="Reading images").exif_transpose
    faults = (OSError, SyntaxError, ValueError, EOFError, struct.error, IndexError)
    with opened(path) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", pillow.DecompressionBombWarning)
        try:
            with pillow.open(file) as image:
                _check_size(image.width * image.height, path)
                _check_mode(image, path, colours)
                image.load()
                upright = turned(image)
                made = _converted(upright, colours)
                if size is not None:
                    made = made.resize((size[1], size[0]), pillow.Resampling.BILINEAR)
                pixels = np.array(made)
        except FileError:
            raise
        except pillow.DecompressionBombError as error:
            raise FileError(f"{path} is an image beyond reason: {error}") from error
        except pillow.UnidentifiedImageError as error:
            raise FileError(f"{path} is no image of a known kind, or damaged.") from error
        except faults as error:
            raise FileError(f"{path} is no image, or damaged: {error}.") from error
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _check_size(pixels: int, path: Path) -> None:
    """Refuse an image that would fill the memory, before it is unpacked."""
    if pixels > MOST_PIXELS:
        message = f"{path} says it has {pixels} pixels, more than {MOST_PIXELS}"
        raise FileError(f"{message}. Make it smaller, or cut it into tiles.")


def _check_mode(image: Any, path: Path, colours: str | None) -> None:
    """Refuse images whose colours would have to be guessed, and several in one file.

    A photograph may carry others for the screen (MPO); the first is the photograph.
    """
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":
        message = f"{path} holds {image.n_frames} images"
        raise FileError(f"{message}. Save each as a file of its own, in a folder: read='frames'.")
    if image.mode not in KEPT | {"1", "P", "PA"}:
        message = f"{path} writes its colours as {image.mode}"
        raise FileError(f"{message}, but grey, RGB and palettes are read. Convert it to RGB.")
    if colours is not None and image.mode in ("I;16", "I;16B", "I", "F"):
        message = f"{path} has more than 8 bits a colour (mode {image.mode})"
        raise FileError(f"{message}, which colours={colours!r} would cut. Leave colours out.")


def _converted(image: Any, colours: str | None) -> Any:
    """Bring an image to one of the ways to write colours that are kept."""
    mode = image.mode
    if mode in ("P", "PA"):
        see_through = mode == "PA" or "transparency" in image.info
        image = image.convert("RGBA" if see_through else "RGB")
    elif mode == "1":
        image = image.convert("L")
    return image if colours is None else image.convert(MODES[colours])


def _check_alike(images: list[Array], ids: tuple[object, ...], read: Read) -> None:
    """Refuse images that differ in what must be the same."""
    first = images[0]
    axes = {"rows": slice(1, 2), "pixels": slice(0, 2), "frames": slice(-3, -1)}[read]
    for name, image in zip(ids, images, strict=True):
        if image.shape[axes] != first.shape[axes]:
            sizes = [" x ".join(map(str, each.shape[-3:-1])) for each in (first, image)]
            message = f"{ids[0]} is {sizes[0]} high and wide, but {name} is {sizes[1]}"
            hint = "Bring them to one size: size=(height, width)."
            raise DataError(message, code="mixed_sizes", record=name, hint=hint)
        if image.shape[-1] != first.shape[-1] or image.dtype != first.dtype:
            kinds = [f"{'+'.join(COLOURS[each.shape[-1]])} {each.dtype}" for each in (first, image)]
            message = f"{ids[0]} is {kinds[0]}, but {name} is {kinds[1]}"
            hint = "Bring them to the same colours: colours='grey' or colours='rgb'."
            hint = hint if image.dtype == first.dtype else "Convert them to the same type."
            raise DataError(message, code="mixed_colours", record=name, hint=hint)


def _stream(images: list[Array], ids: tuple[object, ...], read: Read) -> Stream:
    """Lay all images in one array."""
    _check_alike(images, ids, read)
    names = COLOURS[images[0].shape[-1]]
    if read == "rows":
        width = images[0].shape[1]
        parts = [image.reshape(len(image), -1) for image in images]
        columns = [f"column{k}" for k in range(width)]
        names = tuple(
            column if len(names) == 1 else f"{column} {colour}"
            for column in columns
            for colour in names
        )
    elif read == "pixels":
        parts = [image.reshape(-1, image.shape[-1]) for image in images]
    else:
        parts = images
    offsets = offsets_of([len(part) for part in parts])
    values = np.concatenate(parts)
    observed = None if values.dtype.kind != "f" else _observed(values, offsets, names, ids)
    return Stream(values, offsets, names, "frames" if read == "frames" else "values", observed)


def _observed(
    values: Array, offsets: Integers, names: tuple[str, ...], ids: tuple[object, ...]
) -> Booleans | None:
    """Refuse what is infinite, and find what is NaN."""
    flat = values.reshape(len(values), -1)
    check_finite(flat, offsets, names * (flat.shape[1] // len(names)), ids)
    seen: Booleans = ~np.isnan(flat)
    if values.ndim == 4:
        seen = seen.all(1).reshape(-1, 1)
    return None if seen.all() else seen
