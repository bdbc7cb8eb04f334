import struct
import warnings
import zlib

import numpy as np
import pytest

from recurra.data.reading.images import from_images
from recurra.errors import DataError, FileError, OptionError

Image = pytest.importorskip("PIL.Image")

RANDOM = np.random.default_rng(0)
PHOTO = RANDOM.integers(0, 256, (12, 10, 3), np.uint8)


def save(folder, name, pixels=PHOTO, **options):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(path, **options)
    return path


def fault(source, kind=FileError, **options):
    with pytest.raises(kind) as caught:
        from_images(source, **options)
    return caught.value


# Arrays ------------------------------------------------------------------------------------


def test_a_step_is_a_row_a_pixel_or_an_image():
    images = RANDOM.integers(0, 256, (3, 4, 5, 3), np.uint8)
    rows = from_images(images).stream
    assert (rows.kind, rows.values.dtype, rows.lengths.tolist()) == ("values", np.uint8, [4, 4, 4])
    assert rows.channels[:4] == ("column0 red", "column0 green", "column0 blue", "column1 red")
    np.testing.assert_array_equal(rows.at(1).values, images[1].reshape(4, 15))
    pixels = from_images(images, read="pixels").stream
    assert pixels.channels == ("red", "green", "blue")
    np.testing.assert_array_equal(pixels.at(2).values, images[2].reshape(20, 3))
    frames = from_images(images[None], read="frames").stream
    assert (frames.kind, frames.values.dtype) == ("frames", np.uint8)
    np.testing.assert_array_equal(frames.at(0).values, images)


def test_grey_images_need_no_axis_of_colours():
    images = RANDOM.normal(size=(2, 4, 5))
    data = from_images(images, ["a", "b"])
    assert data.stream.channels == ("column0", "column1", "column2", "column3", "column4")
    np.testing.assert_array_equal(data.stream.at(1).values, images[1])
    assert from_images(images, read="pixels").stream.channels == ("grey",)
    assert from_images(images[None], read="frames").stream.values.shape == (2, 4, 5, 1)


def test_arrays_in_a_list_may_differ_in_their_number_of_rows_or_frames():
    tall = [np.zeros((3, 4), np.uint8), np.ones((5, 4), np.uint8)]
    assert from_images(tall).stream.lengths.tolist() == [3, 5]
    videos = [np.zeros((3, 4, 4), np.uint8), np.zeros((0, 4, 4), np.uint8)]
    assert from_images(videos, read="frames").stream.lengths.tolist() == [3, 0]


def test_nan_is_missing_in_a_pixel_and_in_a_whole_frame():
    images = np.ones((2, 3, 3))
    images[1, 0, 2] = np.nan
    assert np.argwhere(~from_images(images).stream.mask).tolist() == [[3, 2]]
    frames = from_images(images[None], read="frames").stream
    assert frames.observed.ravel().tolist() == [True, False]


@pytest.mark.parametrize("read", ["rows", "frames"])
def test_an_infinite_pixel_is_refused_with_its_record(read):
    images = np.zeros((2, 3, 3))
    images[1, 2, 0] = np.inf
    found = fault(images if read == "rows" else images[:, None], DataError, read=read)
    assert (found.code, found.record) == ("infinite", 1)


@pytest.mark.parametrize(
    ("images", "read"),
    [
        (np.zeros((4, 5)), "rows"),
        (np.zeros((2, 4, 5, 7)), "rows"),
        (np.zeros((2, 3, 4, 5, 1)), "pixels"),
        (np.zeros((2, 4, 5)), "frames"),
        ([np.zeros(4)], "rows"),
        (np.zeros((0, 4, 5)), "rows"),
        ([], "rows"),
    ],
)
def test_arrays_of_other_shapes_are_refused(images, read):
    assert fault(images, DataError, read=read).code in ("shape", "empty")


def test_text_is_no_image():
    assert fault(np.array([[["a"]]]), DataError).code == "no_number"


# Files -------------------------------------------------------------------------------------


def test_a_folder_a_class_is_read(tmp_path):
    pictures = {
        f"{c}/{k}.png": RANDOM.integers(0, 256, (6, 5), np.uint8) for c in "ba" for k in (10, 9)
    }
    for name, pixels in pictures.items():
        save(tmp_path, name, pixels)
    data = from_images(tmp_path)
    assert data.ids == ("a/9.png", "a/10.png", "b/9.png", "b/10.png")
    assert data.target.classes == ("a", "b")
    assert data.target.values.ravel().tolist() == [0, 0, 1, 1]
    assert data.stream.values.dtype == np.uint8
    np.testing.assert_array_equal(data["b/10.png"].streams["image"].values, pictures["b/10.png"])


def test_images_without_classes_have_no_target(tmp_path):
    paths = [save(tmp_path, f"{k}.png") for k in range(2)]
    assert from_images(tmp_path).targets == {}
    assert from_images(paths).ids == ("0.png", "1.png")
    assert from_images(tmp_path, [3, 4]).target.classes == (3, 4)
    assert from_images(paths[0]).ids == ("0.png",)


def test_labels_are_found_in_names(tmp_path):
    save(tmp_path, "cat_1.png")
    save(tmp_path, "dog_1.png")
    assert from_images(tmp_path, labels_from=r"([a-z]+)_\d").target.classes == ("cat", "dog")
    assert fault(tmp_path, DataError, labels_from=r"([a-z]+)_2").code == "no_label"
    save(tmp_path, "more/dog_2.png")
    assert fault(tmp_path, DataError).record == "cat_1.png"


def test_a_folder_of_numbered_images_is_a_video(tmp_path):
    videos = {
        f"wave/{v}": RANDOM.integers(0, 256, (n, 4, 5, 3), np.uint8)
        for v, n in (("x", 11), ("y", 2))
    }
    for video, frames in videos.items():
        for k, frame in enumerate(frames):
            save(tmp_path, f"{video}/frame{k}.png", frame)
    data = from_images(tmp_path, read="frames")
    assert data.ids == ("wave/x", "wave/y")
    assert data.target.classes == ("wave",)
    assert (data.stream.kind, data.stream.values.dtype) == ("frames", np.uint8)
    np.testing.assert_array_equal(data.stream.at(0).values, videos["wave/x"])
    one = from_images(tmp_path / "wave" / "x", read="frames")
    assert (one.ids, one.targets, one.stream.lengths.tolist()) == (("x",), {}, [11])


def test_a_video_above_another_of_its_name_is_one_of_its_own(tmp_path):
    save(tmp_path, "v/1.png")
    save(tmp_path, "v/v/1.png")
    data = from_images(tmp_path / "v", read="frames", labels_from=r"(v|\.)")
    assert data.ids == (".", "v")
    assert data.stream.lengths.tolist() == [1, 1]


def test_bytes_in_the_other_order_are_turned(tmp_path):
    pixels = np.array([[1, 256], [40_000, 7]], np.uint16)
    image = Image.frombytes("I;16B", (2, 2), pixels.astype(">u2").tobytes())
    values = from_images(save(tmp_path, "a.tif", image), read="rows").stream.values
    assert values.dtype == np.dtype("=u2")
    np.testing.assert_array_equal(values, pixels)


@pytest.mark.parametrize(
    ("mode", "ending", "colours", "kind"),
    [
        ("1", "png", ("grey",), np.uint8),
        ("L", "png", ("grey",), np.uint8),
        ("LA", "png", ("grey", "alpha"), np.uint8),
        ("P", "gif", ("red", "green", "blue"), np.uint8),
        ("RGB", "bmp", ("red", "green", "blue"), np.uint8),
        ("RGBA", "png", ("red", "green", "blue", "alpha"), np.uint8),
        ("I;16", "png", ("grey",), np.uint16),
        ("I", "tif", ("grey",), np.int32),
        ("F", "tif", ("grey",), np.float32),
    ],
)
def test_colours_and_bits_stay_as_they_are(tmp_path, mode, ending, colours, kind):
    if mode == "I;16":
        image = Image.fromarray(np.arange(120, dtype=np.uint16).reshape(12, 10) * 500)
    else:
        image = Image.fromarray(PHOTO).convert(mode)
    stream = from_images(save(tmp_path, f"a.{ending}", image), read="pixels").stream
    assert (stream.channels, stream.values.dtype, stream.rows) == (colours, kind, 120)
    plain = image.convert("RGB") if mode == "P" else image.convert("L") if mode == "1" else image
    np.testing.assert_array_equal(stream.values, np.array(plain).reshape(120, -1))


def test_a_palette_with_transparency_keeps_it(tmp_path):
    image = Image.fromarray(PHOTO).convert("P")
    path = save(tmp_path, "a.png", image, transparency=0)
    assert from_images(path, read="pixels").stream.channels[-1] == "alpha"


def test_a_turned_photograph_is_set_upright(tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6
    path = save(tmp_path, "a.png", PHOTO, exif=turned)
    stream = from_images(path, read="frames").stream
    np.testing.assert_array_equal(stream.values[0], np.rot90(PHOTO, -1))


def test_images_are_brought_to_one_size_and_colour_on_request(tmp_path):
    save(tmp_path, "a.png", np.full((12, 10, 3), 40, np.uint8))
    save(tmp_path, "b.png", np.full((30, 7), 90, np.uint8))
    stream = from_images(tmp_path, size=(4, 6), colours="grey", read="frames").stream
    assert stream.values.shape == (2, 4, 6, 1)
    assert stream.values.dtype == np.uint8
    np.testing.assert_array_equal(stream.values[:, 0, 0, 0], [40, 90])


# Files that are not what they say ----------------------------------------------------------


def png(width, height):
    def chunk(name, content):
        check = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + check

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [8_200, 12_000, 100_000])
def test_an_image_too_large_is_refused_before_it_is_unpacked(tmp_path, side):
    import tracemalloc

    path = tmp_path / "bomb.png"
    path.write_bytes(png(side, side))
    tracemalloc.start()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        said = str(fault(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(path) in said
    assert f"{side * side} pixels" in said
    assert peak < 2**20


@pytest.mark.parametrize("ending", ["png", "jpg", "gif", "bmp", "tif", "webp", "ppm"])
@pytest.mark.parametrize("share", [0.01, 0.4, 0.9])
def test_a_truncated_image_is_refused(tmp_path, ending, share):
    path = save(tmp_path, f"a.{ending}", RANDOM.integers(0, 256, (60, 60, 3), np.uint8))
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    said = str(fault(path))
    assert str(path) in said
    assert "damaged" in said


@pytest.mark.parametrize(("content", "what"), [(b"", "empty"), (b"hello", "no image")])
def test_what_is_no_image_is_refused(tmp_path, content, what):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    assert what in str(fault(path))


@pytest.mark.parametrize(
    ("mode", "ending"), [("CMYK", "jpg"), ("CMYK", "tif"), ("YCbCr", "tif"), ("LAB", "tif")]
)
def test_colours_that_must_be_guessed_are_refused(tmp_path, mode, ending):
    image = Image.new(mode, (5, 5))
    path = save(tmp_path, f"a.{ending}", image)
    said = str(fault(path, colours="rgb"))
    assert str(path) in said
    assert mode in said


def test_many_bits_are_not_cut_to_eight(tmp_path):
    path = save(tmp_path, "a.png", np.full((4, 4), 60_000, np.uint16))
    assert "more than 8 bits" in str(fault(path, colours="grey"))


def test_several_images_in_a_file_are_refused(tmp_path):
    more = Image.fromarray(PHOTO[::-1].copy())
    path = save(tmp_path, "a.gif", PHOTO, save_all=True, append_images=[more])
    assert "holds 2 images" in str(fault(path))


def test_a_photograph_with_others_for_the_screen_is_the_first(tmp_path):
    grey = [Image.new("L", (4, 3), level) for level in (10, 200)]
    path = save(tmp_path, "a.jpg", grey[0], format="MPO", save_all=True, append_images=grey[1:])
    np.testing.assert_array_equal(from_images(path).stream.values, 10)


@pytest.mark.parametrize("read", ["rows", "pixels", "frames"])
def test_different_sizes_are_refused_naming_both(tmp_path, read):
    save(tmp_path, "v/a.png", PHOTO)
    save(tmp_path, "v/b.png", PHOTO[:, :7])
    found = fault(tmp_path, DataError, read=read)
    assert found.code == "mixed_sizes"
    assert "v/a.png is 12 x 10" in str(found)
    assert "v/b.png is 12 x 7" in str(found)
    assert "size=" in str(found)


def test_videos_of_different_sizes_are_refused(tmp_path):
    save(tmp_path, "a/1.png", PHOTO)
    save(tmp_path, "b/1.png", PHOTO[:5])
    assert fault(tmp_path, DataError, read="frames").record == "b"


def test_different_colours_are_refused_naming_both(tmp_path):
    save(tmp_path, "a.png", PHOTO)
    save(tmp_path, "b.png", PHOTO[..., 0])
    save(tmp_path, "c.png", PHOTO[..., 0].astype(np.uint16))
    found = fault([tmp_path / "a.png", tmp_path / "b.png"], DataError)
    assert found.code == "mixed_colours"
    assert "colours=" in str(found)
    found = fault([tmp_path / "b.png", tmp_path / "c.png"], DataError)
    assert "uint16" in str(found)
    assert "colours=" not in str(found)


@pytest.mark.parametrize(
    "options",
    [{"read": "columns"}, {"size": (0, 3)}, {"size": (3,)}, {"size": 28}, {"colours": "green"}],
)
def test_wrong_options_are_refused(tmp_path, options):
    fault(save(tmp_path, "a.png"), OptionError, **options)


def test_what_is_for_files_is_refused_with_arrays(tmp_path):
    fault(PHOTO[None], OptionError, size=(3, 3))
    fault(PHOTO[None], OptionError, labels_from=r"\d")
    path = save(tmp_path, "a.png")
    with pytest.raises(OptionError, match="not from both"):
        from_images(path, [1], labels_from=r"(\w)")
