//! Checks what a WebP file says of itself, before a decoder believes it.

/// Goes through the file's chunks. Decoders ask for as much memory as a chunk says to have, up to 4 GiB.
///
/// <https://developers.google.com/speed/webp/docs/riff_container>
///
/// # Errors
/// If the file ends within a chunk.
pub fn check(bytes: &[u8]) -> Result<(), String> {
    let length_at = |at: usize| {
        let length = bytes.get(at..at.checked_add(4)?)?;
        Some(u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize)
    };
    // What follows the picture is not looked at.
    let end = length_at(4).unwrap_or(0).saturating_add(8);
    let mut at: usize = 12;
    while at < end
        && let Some(length) = length_at(at + 4)
    {
        // A byte fills up an odd length.
        let next = (at + 8).saturating_add(length);
        if next > bytes.len() {
            return Err("the file is truncated: it ends within a chunk".into());
        }
        at = next + length % 2;
    }
    Ok(())
}
