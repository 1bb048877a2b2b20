//! Rows as tables: for terminals, for Markdown, for spreadsheets.

use serde_json::Value;

use super::row::{Figures, Key, Row};

/// A table. The first columns identify its rows. The others are aligned to the right.
pub struct Table {
    /// The columns that are the same in all rows, as text.
    pub shared: String,
    pub titles: Vec<String>,
    pub cells: Vec<Vec<String>>,
    /// Whether a column is aligned to the right.
    pub right: Vec<bool>,
}

/// A title, and a function for the cell of a row.
type Column<T> = (&'static str, fn(&T) -> String);

/// The columns that identify rows.
const KEYS: [Column<Key>; 9] = [
    ("model", |key| key.model.clone()),
    ("layer", |key| key.layer.clone()),
    ("method", |key| key.method.clone()),
    ("size", |key| format!("{}×{}", key.height, key.width)),
    ("batch", |key| key.batch.to_string()),
    ("precision", |key| key.precision.clone()),
    ("adapter", |key| key.adapter.clone()),
    ("backend", |key| key.backend.clone()),
    ("variant", |key| key.variant.clone()),
];

const FIGURES: [Column<Figures>; 8] = [
    ("ms/image", |f| number(f.ms_per_image)),
    ("p25–p75", |f| format!("{}–{}", number(f.ms_per_image_p25), number(f.ms_per_image_p75))),
    ("images/s", |f| number(f.images_per_second)),
    ("processor ms", |f| number(f.cpu_ms_per_image)),
    ("GFLOP/s", |f| number(f.gflops)),
    ("of peak", |f| f.peak_share.map_or(String::new(), |share| format!("{:.0} %", share * 100.0))),
    ("first run ms", |f| number(f.first_run_ms)),
    ("MiB", |f| (f.gpu_bytes >> 20).to_string()),
];

/// The columns of `--csv`: paths in a row of `--json`.
const CSV: &str = "model method layer height width batch precision backend adapter driver software variant \
    images_per_second ms_per_image ms_per_image_p25 ms_per_image_p75 \
    cpu_ms_per_image cpu_ms_per_image_p25 cpu_ms_per_image_p75 runs warmup_runs first_run_ms \
    submissions readbacks readback_bytes gpu_bytes multiply_adds gflops peak_gflops peak_share \
    stages/upload stages/preprocess stages/forward stages/backward stages/tail stages/readback error";

impl Table {
    /// Builds a table with a row for each key. `titles` and `further` are the titles and cells of further columns.
    pub fn new<'a>(keys: &[&Key], titles: impl IntoIterator<Item = &'a str>, further: Vec<Vec<String>>) -> Self {
        let same = |of: fn(&Key) -> String| keys.windows(2).all(|pair| of(pair[0]) == of(pair[1]));
        let (shared, columns): (Vec<_>, Vec<_>) = KEYS.into_iter().partition(|(_, of)| same(*of));
        let word = |(title, of): &Column<Key>| {
            let value = keys.first().map_or(String::new(), |key| of(key));
            if ["layer", "batch", "variant"].contains(title) { format!("{title} {value}") } else { value }
        };
        let titles: Vec<String> = columns.iter().map(|c| c.0).chain(titles).map(str::to_owned).collect();
        let numbers = |at: usize| columns.get(at).is_none_or(|c| ["size", "batch"].contains(&c.0));
        let cells =
            |(key, further): (&&Key, Vec<String>)| columns.iter().map(|(_, of)| of(key)).chain(further).collect();
        Self {
            shared: shared.iter().map(word).collect::<Vec<_>>().join(", "),
            right: (0..titles.len()).map(numbers).collect(),
            titles,
            cells: keys.iter().zip(further).map(cells).collect(),
        }
    }

    /// The table of the main figures.
    pub fn figures(rows: &[Row]) -> Self {
        let cells = |row: &Row| match &row.figures {
            Some(figures) => FIGURES.iter().map(|(_, of)| of(figures)).collect(),
            None => FIGURES.iter().map(|(title, _)| if *title == "ms/image" { "failed" } else { "" }.into()).collect(),
        };
        let keys: Vec<&Key> = rows.iter().map(|row| &row.key).collect();
        Self::new(&keys, FIGURES.map(|c| c.0), rows.iter().map(cells).collect())
    }

    /// The table of each stage's milliseconds per image, for the rows that have them.
    pub fn stages(rows: &[Row]) -> Self {
        let staged = rows.iter().filter_map(|row| Some((&row.key, row.figures.as_ref()?.stages?.named())));
        let (keys, stages): (Vec<_>, Vec<_>) = staged.unzip();
        let titles = stages.first().map(|stages| stages.map(|(name, _)| name));
        let cells = stages.iter().map(|stages| stages.map(|(_, ms)| number(ms)).to_vec());
        Self::new(&keys, titles.into_iter().flatten(), cells.collect())
    }

    /// The table for a terminal.
    pub fn text(&self) -> String {
        let lines = || std::iter::once(&self.titles).chain(&self.cells);
        let wide = |column: usize| lines().map(|cells| cells[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.titles.len()).map(wide).collect();
        let mut text = String::new();
        for cells in lines() {
            let aligned = cells.iter().zip(&widths).zip(&self.right).map(|((cell, &width), &right)| {
                if right { format!("{cell:>width$}") } else { format!("{cell:width$}") }
            });
            text += aligned.collect::<Vec<_>>().join("  ").trim_end();
            text.push('\n');
        }
        text
    }

    pub fn markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let titles = line(self.titles.clone());
        let rule = line(self.right.iter().map(|&right| if right { "---:" } else { "---" }.to_owned()).collect());
        let cells = self.cells.iter().map(|cells| line(cells.iter().map(|cell| cell.replace('|', "\\|")).collect()));
        titles + &rule + &cells.collect::<String>()
    }

    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }
}

/// All numbers of all rows as RFC 4180 CSV, one line per row.
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

/// Three significant digits, but at most four digits after the point, and all digits before it.
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
