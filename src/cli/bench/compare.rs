//! Builds or machines side by side, and which differences exceed the noise.

use std::path::Path;

use gradcam::{Error, Result};
use serde::Serialize;

use super::axes::unique;
use super::row::{Figures, Key, Row};
use super::table::{Table, number};

/// Changes below this share are never told apart from noise: what else differs between two runs is worth as much.
const LEAST: f64 = 0.05;
/// Runs that a row must have for its spread to mean anything.
const RUNS: usize = 5;

/// Rows of several sides by their keys; the first side is what others are compared with.
#[derive(Serialize)]
pub struct Comparison {
    compared: Vec<Pair>,
    unmatched: Vec<Lone>,
}

/// A configuration on the first side and on another one.
#[derive(Serialize)]
struct Pair {
    #[serde(flatten)]
    key: Key,
    base: String,
    other: String,
    /// Milliseconds an image of the first side and of the other one: what a quarter, a half and three quarters of the
    /// runs stay below.
    from: Option<[f64; 3]>,
    to: Option<[f64; 3]>,
    /// By which share the time grew.
    change: Option<f64>,
    verdict: Verdict,
}

/// A configuration that the first side and another one do not share.
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
    /// For spreads `[p25, median, p75]` of two sides: they differ if neither reaches into the other, and medians are
    /// further apart than [`LEAST`].
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
    /// Reads what `gradcam bench --json` printed: a file a side, or several with commas between.
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Request`] if a file holds something else.
    pub fn of(sides: &[String]) -> Result<Self> {
        let mut comparison = Self { compared: vec![], unmatched: vec![] };
        let Some((base, others)) = sides.split_first() else { return Ok(comparison) };
        let first = read(base)?;
        for side in others {
            let rows = read(side)?;
            for row in &first {
                match rows.iter().find(|other| other.key == row.key) {
                    Some(other) => comparison.compared.push(Pair::new(base, row, side, other)),
                    None => comparison.unmatched.push(Lone::new(base, side, row)),
                }
            }
            let alone = rows.iter().filter(|row| first.iter().all(|other| other.key != row.key));
            comparison.unmatched.extend(alone.map(|row| Lone::new(side, base, row)));
        }
        Ok(comparison)
    }

    /// A table for each side but the first, and what has no counterpart.
    pub fn text(&self, markdown: bool) -> String {
        let mut text = String::new();
        for pairs in self.compared.chunk_by(|a, b| a.other == b.other) {
            let keys: Vec<&Key> = pairs.iter().map(|pair| &pair.key).collect();
            let titles = [&pairs[0].base, &pairs[0].other, "change", "verdict"];
            let table = Table::new(&keys, titles, pairs.iter().map(Pair::cells).collect());
            let body = if markdown { table.markdown() } else { table.text() };
            let differ = pairs.iter().filter(|p| matches!(p.verdict, Verdict::Faster | Verdict::Slower)).count();
            text += &format!(
                "Milliseconds an image: {}\n\n{body}\n{differ} of {} differ by more than the noise\n\n",
                table.shared,
                pairs.len()
            );
        }
        for Lone { only_in, not_in, key } in &self.unmatched {
            text += &format!("only in {only_in}, not in {not_in}: {}\n", key.told());
        }
        text
    }
}

impl Pair {
    fn new(base: &str, row: &Row, other: &str, to: &Row) -> Self {
        let spread = |f: &Figures| [f.ms_per_image_p25, f.ms_per_image, f.ms_per_image_p75];
        let few = [row, to].iter().any(|row| row.figures.as_ref().is_some_and(|figures| figures.runs < RUNS));
        let (key, [from, to]) = (row.key.clone(), [row, to].map(|row| row.figures.as_ref().map(spread)));
        let verdict = match (from, to) {
            (Some(_), Some(_)) if few => Verdict::TooFewRuns,
            (Some(from), Some(to)) => Verdict::of(from, to),
            _ => Verdict::Failed,
        };
        let change = from.zip(to).map(|(from, to)| to[1] / from[1] - 1.0);
        Self { key, base: base.to_owned(), other: other.to_owned(), from, to, change, verdict }
    }

    fn cells(&self) -> Vec<String> {
        let spread = |ms: Option<[f64; 3]>| match ms.map(|ms| ms.map(number)) {
            Some([p25, median, p75]) => format!("{median} ({p25}–{p75})"),
            None => String::new(),
        };
        let change = self.change.map_or(String::new(), |change| format!("{:+.1} %", change * 100.0));
        vec![spread(self.from), spread(self.to), change, self.verdict.told().into()]
    }
}

impl Lone {
    fn new(only_in: &str, not_in: &str, row: &Row) -> Self {
        Self { only_in: only_in.to_owned(), not_in: not_in.to_owned(), key: row.key.clone() }
    }
}

/// The rows of a side. Of several files the quickest row of a configuration counts, because what disturbs only slows down;
/// but a time is only as certain as it was reproduced, so the spread reaches as far as the second quickest median is away.
fn read(side: &str) -> Result<Vec<Row>> {
    let mut all: Vec<Row> = vec![];
    for file in side.split(',') {
        let text = std::fs::read(file).map_err(|source| Error::Read { path: Path::new(file).to_owned(), source })?;
        let rows: Vec<Row> = serde_json::from_slice(&text).map_err(|error| {
            Error::Request(format!("{file}: is not what `gradcam bench --json` prints: {error}; name such a file"))
        })?;
        all.extend(rows);
    }
    let median = |row: &Row| row.figures.as_ref().map_or(f64::INFINITY, |figures| figures.ms_per_image);
    let quickest = |key: Key| {
        let mut same: Vec<Row> = all.iter().filter(|row| row.key == key).cloned().collect();
        same.sort_by(|a, b| median(a).total_cmp(&median(b)));
        let second = same.get(1).map_or(0.0, median);
        let mut first = same.swap_remove(0);
        if let Some(f) = first.figures.as_mut().filter(|_| second.is_finite()) {
            f.ms_per_image_p75 = f.ms_per_image_p75.max(second);
            f.ms_per_image_p25 = f.ms_per_image_p25.min(2.0 * f.ms_per_image - second.max(f.ms_per_image));
        }
        first
    };
    Ok(unique(all.iter().map(|row| row.key.clone())).into_iter().map(quickest).collect())
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
