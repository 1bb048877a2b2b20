//! Compares builds or machines, and finds the differences that exceed the noise.

use std::path::Path;

use gradcam::files::{self, Kind};
use gradcam::{Error, Result};
use serde::Serialize;

use super::row::{Figures, Key, Row};
use super::table::{Table, number};
use crate::cli::args::unique;

/// Smaller changes always count as noise, because other differences between two runs have effects of this size.
const LEAST: f64 = 0.05;
/// A row needs this many runs for its spread to be meaningful.
const RUNS: usize = 5;
/// What is compared with where a side is a single file: nothing is known of the next run of the program.
const ALONE: &str =
    "the noise within a run; join files of several runs of each side to see that between runs: a1.json,a2.json";
/// The largest file of runs.
const LARGEST: u64 = 256 << 20;

/// Rows of several sides, matched by their keys. The other sides are compared with the first one.
#[derive(Serialize)]
pub struct Comparison {
    compared: Vec<Pair>,
    unmatched: Vec<Lone>,
}

/// A configuration on the first side and on another side.
#[derive(Serialize)]
struct Pair {
    #[serde(flatten)]
    key: Key,
    base: String,
    other: String,
    /// The field that is compared.
    figure: &'static str,
    /// 25th percentile, median and 75th percentile of the runs, on the first side (`from`) and on the other one (`to`).
    from: Option<[f64; 3]>,
    to: Option<[f64; 3]>,
    /// The relative growth of the time.
    change: Option<f64>,
    verdict: Verdict,
}

/// A configuration that only one of two compared sides has.
#[derive(Serialize)]
struct Lone {
    only_in: String,
    not_in: String,
    #[serde(flatten)]
    key: Key,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Verdict {
    Equal,
    Faster,
    Slower,
    TooFewRuns,
    Failed,
}

impl Verdict {
    /// Compares the spreads `[p25, median, p75]` of two sides. They differ if they do not overlap and their medians
    /// differ by more than [`LEAST`].
    fn of(from: [f64; 3], to: [f64; 3]) -> Self {
        let change = to[1] / from[1] - 1.0;
        if change > LEAST && to[0] > from[2] {
            Self::Slower
        } else if change < -LEAST && to[2] < from[0] {
            Self::Faster
        } else {
            Self::Equal
        }
    }

    fn told(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Faster => "faster",
            Self::Slower => "slower",
            Self::TooFewRuns => "too few runs",
            Self::Failed => "failed",
        }
    }
}

impl Comparison {
    /// Reads the output of `gradcam bench --json`. A side is one file, or several separated by commas.
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Request`] if a file holds something else.
    pub fn of(sides: &[String]) -> Result<Self> {
        let mut comparison = Self { compared: vec![], unmatched: vec![] };
        let Some((base, others)) = sides.split_first() else { return Ok(comparison) };
        let first = read(base)?;
        for name in others {
            let side = read(name)?;
            for from in &first {
                match side.iter().find(|to| to.key == from.key) {
                    Some(to) => comparison.compared.push(Pair::new(base, from, name, to)),
                    None => comparison.unmatched.push(Lone::new(base, name, from)),
                }
            }
            let alone = side.iter().filter(|to| first.iter().all(|from| from.key != to.key));
            comparison.unmatched.extend(alone.map(|to| Lone::new(name, base, to)));
        }
        Ok(comparison)
    }

    /// A table for each side but the first, and the configurations without a counterpart.
    pub fn text(&self, markdown: bool) -> String {
        let mut text = String::new();
        for pairs in self.compared.chunk_by(|a, b| a.other == b.other) {
            let keys: Vec<&Key> = pairs.iter().map(|pair| &pair.key).collect();
            let titles = ["figure", &pairs[0].base, &pairs[0].other, "change", "verdict"];
            let table = Table::new(&keys, titles, pairs.iter().map(Pair::cells).collect());
            let body = if markdown { table.markdown() } else { table.text() };
            let differ = pairs.iter().filter(|p| matches!(p.verdict, Verdict::Faster | Verdict::Slower)).count();
            let single = [&pairs[0].base, &pairs[0].other].iter().any(|side| !side.contains(','));
            let noise = if single { ALONE } else { "the noise" };
            text += &format!("{}\n\n{body}\n{differ} of {} differ by more than {noise}\n\n", table.shared, pairs.len());
        }
        for Lone { only_in, not_in, key } in &self.unmatched {
            text += &format!("only in {only_in}, not in {not_in}: {}\n", key.told());
        }
        text
    }
}

impl Pair {
    fn new(base: &str, from: &Side, other: &str, to: &Side) -> Self {
        let verdict = match (from.spread, to.spread) {
            (Some(_), Some(_)) if from.runs.min(to.runs) < RUNS => Verdict::TooFewRuns,
            (Some(from), Some(to)) => Verdict::of(from, to),
            _ => Verdict::Failed,
        };
        let change = from.spread.zip(to.spread).map(|(from, to)| to[1] / from[1] - 1.0);
        let (base, other, key) = (base.to_owned(), other.to_owned(), from.key.clone());
        Self { key, base, other, figure: from.figure, from: from.spread, to: to.spread, change, verdict }
    }

    fn cells(&self) -> Vec<String> {
        let spread = |ms: Option<[f64; 3]>| match ms.map(|ms| ms.map(number)) {
            Some([p25, median, p75]) => format!("{median} ({p25}–{p75})"),
            None => String::new(),
        };
        let change = self.change.map_or(String::new(), |change| format!("{:+.1} %", change * 100.0));
        let figure = if self.figure == WALL { "ms/image" } else { "processor ms" };
        vec![figure.into(), spread(self.from), spread(self.to), change, self.verdict.told().into()]
    }
}

impl Lone {
    fn new(only_in: &str, not_in: &str, row: &Side) -> Self {
        Self { only_in: only_in.to_owned(), not_in: not_in.to_owned(), key: row.key.clone() }
    }
}

/// A configuration of one side.
struct Side {
    key: Key,
    figure: &'static str,
    spread: Option<[f64; 3]>,
    runs: usize,
}

/// The fields that can be compared.
const WALL: &str = "ms_per_image";
const PROCESSOR: &str = "cpu_ms_per_image";

impl Side {
    /// Takes the quickest of several rows of a configuration, because disturbances only slow down. A time is only as
    /// certain as it was reproduced, so its spread reaches, in both directions, at least as far as the second quickest
    /// median is away.
    fn of(rows: &[&Row]) -> Self {
        // If the CPU does the work, disturbances affect its CPU time less than the wall time.
        let spread = |figures: &Figures| match rows[0].software {
            false => [figures.ms_per_image_p25, figures.ms_per_image, figures.ms_per_image_p75],
            true => [figures.cpu_ms_per_image_p25, figures.cpu_ms_per_image, figures.cpu_ms_per_image_p75],
        };
        let measured = rows.iter().filter_map(|row| row.figures.as_ref());
        let mut spreads: Vec<([f64; 3], usize)> = measured.map(|figures| (spread(figures), figures.runs)).collect();
        spreads.sort_unstable_by(|(a, _), (b, _)| a[1].total_cmp(&b[1]));
        let mut quickest = spreads.first().copied();
        if let (Some(([p25, median, p75], _)), Some(([_, second, _], _))) = (&mut quickest, spreads.get(1)) {
            *p25 = p25.min(*median * 2.0 - second).max(0.0);
            *p75 = p75.max(*second);
        }
        let (spread, runs) = quickest.unzip();
        let figure = if rows[0].software { PROCESSOR } else { WALL };
        Self { key: rows[0].key.clone(), figure, spread, runs: runs.unwrap_or(0) }
    }
}

/// Reads the configurations of a side: one file, or several separated by commas.
fn read(side: &str) -> Result<Vec<Side>> {
    let mut all: Vec<Row> = vec![];
    for file in side.split(',') {
        let text = files::read(Path::new(file), Kind::Named, LARGEST)?;
        let rows: Vec<Row> = serde_json::from_slice(&text).map_err(|error| {
            Error::Request(format!("{file}: is not what `gradcam bench --json` prints: {error}; name such a file"))
        })?;
        all.extend(rows);
    }
    let of = |key: &Key| Side::of(&all.iter().filter(|row| row.key == *key).collect::<Vec<_>>());
    Ok(unique(all.iter().map(|row| &row.key)).into_iter().map(of).collect())
}

#[cfg(test)]
mod tests {
    use super::Verdict;

    #[test]
    fn noise_is_no_difference() {
        let of = Verdict::of;
        assert_eq!(of([9.0, 10.0, 11.0], [11.5, 12.0, 13.0]), Verdict::Slower);
        assert_eq!(of([11.5, 12.0, 13.0], [9.0, 10.0, 11.0]), Verdict::Faster);
        assert_eq!(of([9.0, 10.0, 11.6], [11.5, 12.0, 13.0]), Verdict::Equal);
        assert_eq!(of([10.0, 10.0, 10.0], [10.4, 10.4, 10.4]), Verdict::Equal);
        assert_eq!(of([10.4, 10.4, 10.4], [10.0, 10.0, 10.0]), Verdict::Equal);
    }
}
