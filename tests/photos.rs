//! Photos decoded as Pillow decodes them, see `tools/make_photo_goldens.py`.

use std::path::Path;

use gradcam::Photo;

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
