//! Rows as tables: for people, for Markdown, for spreadsheets.

use serde_json::Value;

use super::row::{Figures, Row};

/// A table with a title a column; columns of numbers are aligned to the right.
pub struct Table {
    /// What all rows have in common.
    pub shared: String,
    titles: Vec<&'static str>,
    numeric: Vec<bool>,
    cells: Vec<Vec<String>>,
}

/// A title, whether it holds numbers, and the cell of a row.
type Column<T> = (&'static str, bool, fn(&T) -> String);

/// What distinguishes rows.
const KEYS: [Column<Row>; 9] = [
    ("model", false, |row| row.key.model.clone()),
    ("layer", false, |row| row.key.layer.clone()),
    ("method", false, |row| row.key.method.clone()),
    ("size", true, |row| format!("{}×{}", row.key.height, row.key.width)),
    ("batch", true, |row| row.key.batch.to_string()),
    ("precision", false, |row| row.key.precision.clone()),
    ("adapter", false, |row| row.key.adapter.clone()),
    ("backend", false, |row| row.key.backend.clone()),
    ("variant", false, |row| row.key.variant.clone()),
];

const FIGURES: [Column<Figures>; 8] = [
    ("ms/image", true, |f| number(f.ms_per_image)),
    ("p10–p90", true, |f| format!("{}–{}", number(f.ms_per_image_p10), number(f.ms_per_image_p90))),
    ("images/s", true, |f| number(f.images_per_second)),
    ("processor ms", true, |f| number(f.cpu_ms_per_image)),
    ("GFLOP/s", true, |f| number(f.gflops)),
    ("of peak", true, |f| f.peak_share.map_or(String::new(), |share| format!("{:.0} %", share * 100.0))),
    ("first run ms", true, |f| number(f.first_run_ms)),
    ("MiB", true, |f| (f.gpu_bytes >> 20).to_string()),
];

const STAGES: [Column<Figures>; 6] = [
    ("upload", true, |f| number(f.stages.unwrap_or_default().upload)),
    ("preprocess", true, |f| number(f.stages.unwrap_or_default().preprocess)),
    ("forward", true, |f| number(f.stages.unwrap_or_default().forward)),
    ("backward", true, |f| number(f.stages.unwrap_or_default().backward)),
    ("tail", true, |f| number(f.stages.unwrap_or_default().tail)),
    ("readback", true, |f| number(f.stages.unwrap_or_default().readback)),
];

/// Columns of `--csv`: places in a row of `--json`.
const CSV: &str = "model method layer height width batch precision backend adapter driver software variant \
    images_per_second ms_per_image ms_per_image_p10 ms_per_image_p90 \
    cpu_ms_per_image cpu_ms_per_image_p10 cpu_ms_per_image_p90 runs warmup_runs first_run_ms \
    submissions readbacks readback_bytes gpu_bytes multiply_adds gflops peak_gflops peak_share \
    stages/upload stages/preprocess stages/forward stages/backward stages/tail stages/readback error";

impl Table {
    /// The main figures.
    pub fn figures(rows: &[Row]) -> Self {
        Self::new(rows, &FIGURES)
    }

    /// Milliseconds an image of each stage, of the rows that have them.
    pub fn stages(rows: &[Row]) -> Self {
        let staged = |row: &&Row| row.figures.as_ref().is_some_and(|f| f.stages.is_some());
        Self::new(&rows.iter().filter(staged).cloned().collect::<Vec<_>>(), &STAGES)
    }

    fn new(rows: &[Row], columns: &[Column<Figures>]) -> Self {
        let same = |of: fn(&Row) -> String| rows.windows(2).all(|pair| of(&pair[0]) == of(&pair[1]));
        let (shared, keys): (Vec<Column<Row>>, Vec<Column<Row>>) = KEYS.into_iter().partition(|(.., of)| same(*of));
        let word = |(title, _, of): &Column<Row>| {
            let value = rows.first().map_or(String::new(), of);
            if ["layer", "batch", "variant"].contains(title) { format!("{title} {value}") } else { value }
        };
        let cells = |row: &Row| {
            let figure = |(_, _, of): &Column<Figures>| row.figures.as_ref().map_or(String::new(), of);
            let mut figures: Vec<String> = columns.iter().map(figure).collect();
            if row.error.is_some() {
                figures[0] = "failed".into();
            }
            keys.iter().map(|(.., of)| of(row)).chain(figures).collect()
        };
        Self {
            shared: shared.iter().map(word).collect::<Vec<_>>().join(", "),
            titles: keys.iter().map(|k| k.0).chain(columns.iter().map(|c| c.0)).collect(),
            numeric: keys.iter().map(|k| k.1).chain(columns.iter().map(|c| c.1)).collect(),
            cells: rows.iter().map(cells).collect(),
        }
    }

    /// For a terminal.
    pub fn text(&self) -> String {
        let titles: Vec<String> = self.titles.iter().map(|&title| title.to_owned()).collect();
        let lines = || std::iter::once(&titles).chain(&self.cells);
        let wide = |column: usize| lines().map(|cells| cells[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..titles.len()).map(wide).collect();
        let mut text = String::new();
        for cells in lines() {
            let aligned = cells.iter().zip(&widths).zip(&self.numeric).map(|((cell, &width), &numeric)| {
                if numeric { format!("{cell:>width$}") } else { format!("{cell:width$}") }
            });
            text += aligned.collect::<Vec<_>>().join("  ").trim_end();
            text.push('\n');
        }
        text
    }

    pub fn markdown(&self) -> String {
        let line = |cells: &mut dyn Iterator<Item = String>| format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "));
        let titles = line(&mut self.titles.iter().map(|&title| title.to_owned()));
        let rule = line(&mut self.numeric.iter().map(|&numeric| if numeric { "---:" } else { "---" }.to_owned()));
        let cells = self.cells.iter().map(|cells| line(&mut cells.iter().map(|cell| cell.replace('|', "\\|"))));
        titles + &rule + &cells.collect::<String>()
    }

    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }
}

/// All numbers of all rows, a line each, by RFC 4180.
pub fn csv(rows: &[Row]) -> String {
    let cell = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) if text.contains([',', '"', '\n', '\r']) => format!("\"{}\"", text.replace('"', "\"\"")),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let places: Vec<&str> = CSV.split_whitespace().collect();
    let mut text = places.join(",").replace('/', "_") + "\n";
    for row in rows {
        let row = serde_json::to_value(row).unwrap_or_default();
        let cells = places.iter().map(|place| row.pointer(&format!("/{place}")).map_or(String::new(), cell));
        text += &(cells.collect::<Vec<_>>().join(",") + "\n");
    }
    text
}

/// Three digits that count, and all of those before the point.
pub fn number(value: f64) -> String {
    let before = if value > 0.0 { value.log10().floor() as i32 } else { 2 };
    format!("{value:.*}", (2 - before).clamp(0, 4) as usize)
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_have_three_digits() {
        let numbers = [0.0, 0.00004, 0.0512, 0.5, 1.0, 9.876, 12.34, 123.4, 1234.5].map(number);
        assert_eq!(numbers, ["0", "0.0000", "0.0512", "0.500", "1.00", "9.88", "12.3", "123", "1234"]);
    }
}
