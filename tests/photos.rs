//! Photos decoded as Pillow decodes them, see `tools/make_photo_goldens.py`.

use std::path::Path;

use gradcam::{Classes, Device, Explainer, Images, Outputs, Photo, Style};

/// FNV-1a of the colours, without the fourth byte of each pixel.
fn hash(photo: &Photo) -> String {
    let colours = photo.rgba().chunks(4).flat_map(|pixel| &pixel[..3]);
    let hash =
        colours.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
    format!("{hash:016x}")
}

/// JPEG files of all samplings, sequential and progressive, in colours, grey and inks, equal Pillow's pixels in every byte.
#[test]
fn jpegs_equal_pillow() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = std::fs::read_to_string(root.join("tests/data/photos/pillow.txt")).unwrap();
    let mut compared = 0;
    for line in list.lines() {
        let (name, expected) = line.split_once(' ').unwrap();
        assert_eq!(hash(&Photo::open(root.join(name)).unwrap()), expected, "{name}");
        compared += 1;
    }
    assert!(compared > 70, "{compared}");
    let refused = Photo::open(root.join("tests/data/photos/arithmetic.jpg")).err().unwrap().to_string();
    assert!(refused.contains("arithmetic coding, which is not supported"), "{refused}");
}

/// A file without its end mark is whole; one that ends in its data is not. No damage ends in a panic.
#[test]
fn damaged_jpegs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/photos");
    for name in ["75x50-420.jpg", "75x50-444-progressive.jpg", "96x64-420-restarts.jpg", "cmyk.jpg"] {
        let whole = std::fs::read(root.join(name)).unwrap();
        let decode = |bytes: &[u8]| Photo::decode("damaged", bytes);
        let expected = hash(&decode(&whole).unwrap());
        let endless = decode(&whole[..whole.len() - 2]);
        match endless {
            Ok(photo) => assert_eq!(hash(&photo), expected, "{name} without its end mark"),
            // Further scans may be missing.
            Err(_) => assert!(name.contains("progressive"), "{name}"),
        }
        for end in 2..whole.len() - 4 {
            if let Ok(photo) = decode(&whole[..end]) {
                // The last bits of a scan may be padding, or its last coefficients zeros.
                assert!(
                    end > whole.len() - 8,
                    "{name} cut at {end} of {}: {}x{}",
                    whole.len(),
                    photo.width(),
                    photo.height()
                );
            }
        }
        let mut random = 1_u64;
        for _ in 0..3000 {
            let mut damaged = whole.clone();
            for _ in 0..1 + random % 4 {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (random >> 33) as usize % damaged.len();
                damaged[at] = (random >> 24) as u8;
            }
            drop(decode(&damaged));
        }
    }
}

/// A TIFF file of one number a pixel, 16 × 8.
fn tiff_of<C: tiff::encoder::colortype::ColorType>(numbers: &[C::Inner]) -> Vec<u8>
where
    [C::Inner]: tiff::encoder::TiffValue,
{
    let mut bytes = std::io::Cursor::new(vec![]);
    tiff::encoder::TiffEncoder::new(&mut bytes).unwrap().write_image::<C>(16, 8, numbers).unwrap();
    bytes.into_inner()
}

/// Numbers beyond 8 bits are brought into bytes by an explicit rule, and it is said when it matters.
#[test]
fn deep_pictures() {
    use tiff::encoder::colortype::{Gray16, Gray32Float, GrayI16};
    let ramp = |most: f64| (0..16 * 8).map(move |i| f64::from(i) / 127.0 * most);
    let greys = |bytes: &[u8], window: &str| {
        let photo = Photo::decode_with("deep.tif", bytes, window.parse().unwrap()).map_err(|e| e.to_string())?;
        Ok::<_, String>((photo.rgba().chunks(4).map(|p| p[0]).collect::<Vec<u8>>(), photo.remark().map(str::to_owned)))
    };
    let bytes_of = |low: f64, high: f64, most: f64| -> Vec<u8> {
        ramp(most).map(|n| ((n.round() - low) / (high - low) * 255.0).round().clamp(0.0, 255.0) as u8).collect()
    };

    let whole = tiff_of::<Gray16>(&ramp(65535.0).map(|n| n.round() as u16).collect::<Vec<_>>());
    assert_eq!(greys(&whole, "full").unwrap(), (bytes_of(0.0, 65535.0, 65535.0), None));
    // Twelve bits in sixteen, as X-rays are.
    let twelve = tiff_of::<Gray16>(&ramp(4095.0).map(|n| n.round() as u16).collect::<Vec<_>>());
    let (dark, remark) = greys(&twelve, "full").unwrap();
    assert!(dark.iter().all(|v| *v <= 16) && remark.unwrap().contains("--window 0,4095"));
    for window in ["auto", "0,4095"] {
        assert_eq!(greys(&twelve, window).unwrap(), (bytes_of(0.0, 4095.0, 4095.0), None), "{window}");
    }
    let signed = tiff_of::<GrayI16>(&ramp(1000.0).map(|n| n.round() as i16 - 500).collect::<Vec<_>>());
    assert_eq!(greys(&signed, "auto").unwrap().0, bytes_of(0.0, 1000.0, 1000.0));
    let height = tiff_of::<Gray32Float>(&ramp(1900.0).map(|n| n.round() as f32).collect::<Vec<_>>());
    assert!(greys(&height, "full").unwrap_err().contains("go from 0 to 1900, not from 0 to 1; --window auto"));
    assert_eq!(greys(&height, "0,1900").unwrap().0, bytes_of(0.0, 1900.0, 1900.0));
    let fractions = tiff_of::<Gray32Float>(&ramp(1.0).map(|n| n as f32).collect::<Vec<_>>());
    assert_eq!(greys(&fractions, "full").unwrap().0[127], 255);
    let said = greys(&std::fs::read("examples/coffee.png").unwrap(), "auto").unwrap().1.unwrap();
    assert!(said.contains("8 bits"), "{said}");
}

/// Files that people take for photos are named for what they are, with a remedy.
#[test]
fn other_kinds_are_named() {
    let at = |at: usize, mark: &[u8]| [&vec![0; at], mark, &[0; 400]].concat();
    for (bytes, words) in [
        (at(4, b"ftypheic"), "HEIC photo|heif-convert"),
        (at(4, b"ftypavif"), "AVIF|avifdec"),
        (at(4, b"ftypisom"), "video|ffmpeg"),
        (at(128, b"DICM"), "DICOM|window"),
        (at(0, b"\x1f\x8b"), "NIfTI|slices"),
        (at(0, b"\x93NUMPY"), "NumPy|--tensors"),
        (at(0, b"<!DOCTYPE html>"), "HTML|download"),
        (at(0, b"\0\0\0\x0cjP  "), "JPEG 2000|opj_decompress"),
        (at(0, b"DDS "), "format Dds|PNG"),
        (at(0, b"hello"), "not a picture|PNM, QOI and TGA"),
    ] {
        let error = Photo::decode("x.jpg", &bytes).err().unwrap().to_string();
        assert!(words.split('|').all(|word| error.contains(word)), "{words}: {error}");
    }
}

/// Without overlays a photo's pixels are not needed: the same explanation, in the memory of the network's input. What would need
/// them says so.
#[test]
fn without_pixels() {
    let preprocess = gradcam::Model::bundled().unwrap().preprocess;
    let photo = Photo::open("examples/coffee.png").unwrap();
    let (pixels, input) = (photo.rgba().len() as u64, photo.input(&preprocess).unwrap().into_owned());
    assert_eq!(photo.bytes(), pixels);
    let prepared = photo.clone().prepared(&preprocess);
    assert_eq!(prepared.bytes(), pixels + input.len() as u64);
    let bare = photo.without_pixels(&preprocess);
    assert!(
        bare.rgba().is_empty() && bare.bytes() == input.len() as u64 && (bare.width(), bare.height()) == (600, 400)
    );
    assert_eq!(*bare.input(&preprocess).unwrap(), input);
    // A photo that was reduced once stays so.
    let bare = bare.without_pixels(&preprocess);

    let mut explainer = Explainer::new(gradcam::Model::bundled().unwrap(), Device::Cpu);
    let overlays = Outputs::default().overlay(Style::default());
    let explain = |explainer: &mut Explainer, photo: &Photo, outputs: &Outputs| {
        explainer.explain(Images::Photos(std::slice::from_ref(photo)), &Classes::Top(1), outputs)
    };
    let [whole, reduced] = [&prepared, &bare].map(|photo| {
        explain(&mut explainer, photo, &Outputs::default().raw(true)).unwrap().explanations[0].heatmaps[0].raw.clone()
    });
    assert_eq!(whole, reduced);
    let told = |error: gradcam::Result<gradcam::Batch>| error.err().unwrap().to_string();
    let text = told(explain(&mut explainer, &bare, &overlays));
    assert_eq!(text, "examples/coffee.png: its pixels were dropped; decode it again");
    let smaller = gradcam::ModelOptions::default().size([64, 64]);
    let other = gradcam::Model::open(gradcam::model::BUNDLED, &smaller).unwrap();
    assert!(bare.input(&other.preprocess).is_err());
}
