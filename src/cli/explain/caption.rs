//! Text drawn into an overlay.

use font8x8::{BASIC_FONTS, LATIN_FONTS, UnicodeFonts};
use gradcam::Overlay;

/// Pixels of a glyph's sides at scale 1.
const GLYPH: u32 = 8;
/// The shorter side of a picture has room for so many lines.
const LINES: u32 = 18;

/// Draws a line at the bottom: white on a darkened band, which is readable on any picture. It is cut to the width.
pub fn draw(overlay: &mut Overlay, text: &str) {
    let (width, height) = (overlay.width, overlay.height);
    let letters = text.chars().count() as u32 + 1;
    let scale = (width.min(height) / (GLYPH * LINES)).min(width / (GLYPH * letters)).max(1);
    let band = (scale * (GLYPH + 4)).min(height);
    let rows = overlay.rgba.chunks_exact_mut(4 * width as usize).skip((height - band) as usize);
    let fits = (width / (GLYPH * scale)) as usize;
    let glyphs: Vec<[u8; 8]> = text.chars().take(fits).map(glyph).collect();
    for (y, row) in rows.enumerate() {
        for (x, pixel) in row.chunks_exact_mut(4).enumerate() {
            let [x, y] = [x as u32 / scale, y as u32 / scale];
            let [column, line] = [x.wrapping_sub(GLYPH / 2), y.wrapping_sub(2)];
            let bits = glyphs.get((column / GLYPH) as usize).filter(|_| line < GLYPH);
            let is_lit = bits.is_some_and(|bits| bits[line as usize] >> (column % GLYPH) & 1 == 1);
            pixel[..3].iter_mut().for_each(|channel| *channel = if is_lit { 255 } else { *channel / 4 });
        }
    }
}

/// The font has Latin letters.
fn glyph(letter: char) -> [u8; 8] {
    BASIC_FONTS.get(letter).or_else(|| LATIN_FONTS.get(letter)).or_else(|| BASIC_FONTS.get('?')).unwrap_or_default()
}
