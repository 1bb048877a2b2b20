//! Detects truncated JPEG files. Decoders fill the missing part with grey, and its heat map would mislead.

/// Whether the file ends before its end-of-image marker. Markers inside an embedded thumbnail do not count: the
/// thumbnail lies in a segment, and segments are skipped by their lengths.
pub fn is_truncated(bytes: &[u8]) -> bool {
    let mut at = 2;
    loop {
        // Between segments, and in the compressed data after a scan header: find the next marker.
        let Some(skip) = bytes.get(at..).and_then(|rest| rest.iter().position(|b| *b == 0xff)) else { return true };
        let Some(&mark) = bytes.get(at + skip + 1) else { return true };
        at += skip + 2;
        match mark {
            0xd9 => return false,
            // Byte stuffing, and markers without a length.
            0x00 | 0x01 | 0xd0..=0xd8 => {}
            0xff => at -= 1,
            _ => match bytes.get(at..at + 2) {
                Some(&[high, low]) => at += usize::from(high) << 8 | usize::from(low),
                _ => return true,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_truncated;

    #[test]
    fn marks() {
        let whole =
            [0xff, 0xd8, 0xff, 0xe1, 0, 4, 0xff, 0xd9, 0xff, 0xda, 0, 2, 1, 0xff, 0, 0xff, 0xd0, 2, 0xff, 0xff, 0xd9];
        assert!(!is_truncated(&whole));
        assert!(!is_truncated(&[&whole[..], b"more"].concat()));
        for end in 2..whole.len() {
            assert!(is_truncated(&whole[..end]), "{end}");
        }
    }
}
