//! `gradcam bench`.

mod axes;
mod compare;
mod html;
mod layers;
mod measure;
mod places;
mod rounds;
mod row;
mod table;

use std::io::{Write, stdout};
use std::path::PathBuf;

use clap::Args;
use gradcam::files::write_atomically;
use indicatif::{ProgressBar, ProgressStyle};

use super::say::{Failure, print_json, say};
use axes::Axes;
use compare::Comparison;
use row::Row;

use super::args::unique;
use table::Table;
pub use table::number;

/// Time heat maps: from normalised images in memory to heat maps in memory
///
/// Measures every combination of what is named. A network that is not bundled gets weights from a formula: they do not
/// change the time. Configurations of a network are measured in turn, in five rounds after a warm-up; figures are medians.
#[derive(Args)]
pub struct Bench {
    #[command(flatten)]
    axes: Axes,
    /// Compare files that `--json` printed: the first with each of the others
    ///
    /// Two rows differ if their medians are more than 5 % apart and the middle halves of their runs do not overlap; on
    /// software adapters CPU time is compared. A side may be several files separated by commas (a1.json,a2.json
    /// b1.json,b2.json). Then the quickest row of each configuration counts, and its spread reaches at least as far as
    /// the next median is away. Rows of fewer than five runs are not judged.
    #[arg(long, value_name = "FILE", num_args = 2.., conflicts_with = "Axes")]
    compare: Vec<String>,
    /// Print an array of rows
    #[arg(long, group = "form")]
    json: bool,
    /// Print comma-separated values
    #[arg(long, group = "form")]
    csv: bool,
    /// Print tables in Markdown
    #[arg(long, group = "form")]
    markdown: bool,
    /// Also write a page with charts
    #[arg(long, value_name = "FILE", conflicts_with = "compare")]
    html: Option<PathBuf>,
}

impl Bench {
    pub fn run(self) -> Result<(), Failure> {
        if !self.compare.is_empty() {
            let comparison = Comparison::of(&self.compare)?;
            if self.json {
                return print_json(&comparison);
            }
            return Ok(write!(stdout(), "{}", comparison.text(self.markdown))?);
        }
        let places = self.axes.places()?;
        let names = unique(&self.axes.networks);
        let bar = progress();
        // Configurations that cannot be measured are reported before any measurement.
        for name in &names {
            let network = self.axes.network(name, &places)?;
            network.check()?;
            bar.inc_length(network.steps() as u64);
        }
        let mut rows = vec![];
        for name in &names {
            rows.extend(self.axes.network(name, &places)?.measure(&bar));
        }
        bar.finish_and_clear();
        share_peaks(&mut rows);
        if let Some(path) = &self.html {
            write_atomically(path, |out| out.write_all(html::page(&rows).as_bytes()))?;
        }
        self.print(&rows)?;
        let failed: Vec<&Row> = rows.iter().filter(|row| row.error.is_some()).collect();
        for row in &failed {
            say(&format!("{}: {}", row.key.told(), row.error.as_deref().unwrap_or_default()));
        }
        if failed.is_empty() { Ok(()) } else { Err(Failure::Reported(1)) }
    }

    fn print(&self, rows: &[Row]) -> Result<(), Failure> {
        if self.json {
            return print_json(&rows);
        }
        let mut out = stdout().lock();
        if self.csv {
            return Ok(write!(out, "{}", table::csv(rows))?);
        }
        let tables = [(Table::figures(rows), ""), (Table::stages(rows), "Stages, milliseconds an image: ")];
        for (table, title) in tables.into_iter().filter(|(table, _)| !table.is_empty()) {
            let body = if self.markdown { table.markdown() } else { table.text() };
            writeln!(out, "{title}{}\n\n{body}", table.shared)?;
        }
        Ok(rows.iter().try_for_each(|row| layers::print(&mut out, row))?)
    }
}

/// Takes the best peak that was measured of an adapter: noise only lowers it.
fn share_peaks(rows: &mut [Row]) {
    let peaks: Vec<(String, String, f64)> = rows
        .iter()
        .filter_map(|row| Some((row.key.adapter.clone(), row.key.backend.clone(), row.figures.as_ref()?.peak_gflops?)))
        .collect();
    for Row { key, figures, .. } in rows {
        let same = peaks.iter().filter(|(adapter, backend, _)| (adapter, backend) == (&key.adapter, &key.backend));
        let peak = same.map(|(.., peak)| *peak).reduce(f64::max);
        if let Some(figures) = figures {
            figures.peak_gflops = peak;
            figures.peak_share = peak.map(|peak| figures.gflops / peak);
        }
    }
}

/// A progress bar on the terminal.
fn progress() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len}  {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style)
}
