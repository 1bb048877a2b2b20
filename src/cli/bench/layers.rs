//! The time of each layer, for `--kernels`.

use std::io::{Result, Write};

use super::row::Row;

/// Prints a row's layers with their shares of the time and of the device's peak. Prints nothing if they were not timed.
pub fn print(out: &mut impl Write, Row { key, figures, .. }: &Row) -> Result<()> {
    let Some(figures) = figures.as_ref().filter(|figures| !figures.layers.is_empty()) else { return Ok(()) };
    let peak = figures.peak_gflops.unwrap_or(f64::NAN);
    let what = format!("{} at {}, {}×{}, batch {}", key.model, key.layer, key.height, key.width, key.batch);
    writeln!(out, "{what}, {}: milliseconds of a batch, shares of the time and of {peak:.0} GFLOP/s", key.variant)?;
    let all: f64 = figures.layers.iter().map(|l| l.seconds).sum();
    for layer in &figures.layers {
        let rate = if layer.multiply_adds > 0 {
            let rate = layer.multiply_adds as f64 * 2e-9 / layer.seconds;
            format!("{rate:7.1} GFLOP/s {:4.0} %", rate / peak * 100.0)
        } else {
            String::new()
        };
        let (ms, share) = (layer.seconds * 1e3, layer.seconds / all * 100.0);
        writeln!(out, "  {ms:8.3} ms {share:5.1} % {rate:22} {:36} {}", layer.name, layer.kernels)?;
    }
    writeln!(out)
}
