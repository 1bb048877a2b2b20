//! Rows as one self-contained HTML page: charts in SVG, whose lengths are shares of the window's width, and all
//! figures.

use super::row::{Figures, Key, Row};
use super::table::{Table, number};

/// Colours of the series in the style sheet.
const COLOURS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
/// Colours of the stages. The first differs from the first one of the series.
const STAGES: [&str; 6] = ["f", "g", "c", "d", "e", "h"];

/// Builds the page.
pub fn page(rows: &[Row]) -> String {
    let (style, version) = (include_str!("report.css"), env!("CARGO_PKG_VERSION"));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>gradcam bench</title>\n<style>\n{style}</style>\n</head>\n<body>\n<h1>Grad-CAM heat maps a second</h1>\n\
         <p>gradcam {version}, from normalised images in memory to heat maps in memory. Bars are medians; a line spans the \
         middle half of the runs.</p>\n"
    );
    let series = Series::of(rows);
    page += &series.key();
    for (title, rows) in charts(rows) {
        page += &format!("<h2>{}</h2>\n<h3>Images a second</h3>\n{}", escape(&title), speeds(&rows, &series));
        page += &stages(&rows, &series);
    }
    page += "<h2>All figures</h2>\n";
    for (table, title) in [(Table::figures(rows), ""), (Table::stages(rows), "Stages, milliseconds an image. ")] {
        if !table.is_empty() {
            page += &format!("<p>{title}{}</p>\n{}", escape(&table.shared), html(&table));
        }
    }
    page + "</body>\n</html>\n"
}

/// One chart per network, layer, method and size, in the order of the rows.
fn charts(rows: &[Row]) -> Vec<(String, Vec<&Row>)> {
    let mut charts: Vec<(String, Vec<&Row>)> = vec![];
    for row in rows {
        let Key { model, layer, method, height, width, .. } = &row.key;
        let title = format!("{model}, {layer}, {method}, {height}×{width}");
        match charts.iter_mut().find(|(other, _)| *other == title) {
            Some((_, rows)) => rows.push(row),
            None => charts.push((title, vec![row])),
        }
    }
    for (_, rows) in &mut charts {
        rows.sort_by_key(|row| row.key.batch);
    }
    charts
}

/// One series per adapter and way of using it, each with a letter and a colour.
struct Series(Vec<String>);

impl Series {
    fn of(rows: &[Row]) -> Self {
        let mut names = vec![];
        for row in rows {
            let name = Self::name(row);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Self(names)
    }

    fn name(Row { key, driver, .. }: &Row) -> String {
        let Key { adapter, backend, variant, precision, .. } = key;
        format!("{adapter}, {backend}, {driver}, {variant}, {precision}")
    }

    fn place(&self, row: &Row) -> usize {
        self.0.iter().position(|name| *name == Self::name(row)).unwrap_or(0)
    }

    /// The name of a bar.
    fn label(&self, row: &Row) -> String {
        let batch = format!("batch {}", row.key.batch);
        if self.0.len() > 1 { format!("{batch} · {}", letter(self.place(row))) } else { batch }
    }

    fn key(&self) -> String {
        let names = self
            .0
            .iter()
            .enumerate()
            .map(|(place, name)| (format!("{} · {name}", letter(place)), COLOURS[place % COLOURS.len()]));
        key(names)
    }
}

/// A, B, … Z, A1, B1, …
fn letter(place: usize) -> String {
    let letter = char::from(b'A' + (place % 26) as u8);
    if place < 26 { letter.to_string() } else { format!("{letter}{}", place / 26) }
}

fn key(names: impl Iterator<Item = (String, &'static str)>) -> String {
    let item = |(name, colour): (String, &str)| {
        format!("<li><i style=\"background:var(--{colour})\"></i>{}</li>\n", escape(&name))
    };
    format!("<ul class=\"key\">\n{}</ul>\n", names.map(item).collect::<String>())
}

/// Bars of images per second, each with a line over the middle half of the runs.
fn speeds(rows: &[&Row], series: &Series) -> String {
    let quickest = |f: &Figures| f.images_per_second.max(1e3 / f.ms_per_image_p25);
    let scale = Scale::of(rows.iter().filter_map(|row| row.figures.as_ref().map(quickest)));
    let mut chart = String::from("<div class=\"chart\">\n");
    for (i, row) in rows.iter().enumerate() {
        chart += gap(i.checked_sub(1).map(|i| rows[i]), row);
        let name = series.label(row);
        let Some(figures) = &row.figures else {
            chart += &failed(&name, row);
            continue;
        };
        let colour = COLOURS[series.place(row) % COLOURS.len()];
        let [slow, quick] = [figures.ms_per_image_p75, figures.ms_per_image_p25].map(|ms| scale.share(1e3 / ms));
        let mut bar = scale.bar(0.0, figures.images_per_second, colour, &Series::name(row));
        for class in ["halo", "spread"] {
            let ends = format!("x1=\"{slow:.2}%\" x2=\"{quick:.2}%\" y1=\"50%\" y2=\"50%\"");
            bar += &format!("<line class=\"{class}\" {ends}/>");
        }
        chart += &scale.row(&name, &bar, &number(figures.images_per_second));
    }
    chart + &scale.axis("images/s") + "</div>\n"
}

/// Stacked bars of the stages' times, for the rows that have them.
fn stages(rows: &[&Row], series: &Series) -> String {
    let staged: Vec<_> = rows.iter().filter_map(|row| Some((row, row.figures.as_ref()?.stages?.named()))).collect();
    let Some((_, names)) = staged.first() else { return String::new() };
    let sum = |stages: &[(&str, f64)]| stages.iter().map(|(_, ms)| ms).sum::<f64>();
    let scale = Scale::of(staged.iter().map(|(_, stages)| sum(stages)));
    let names = names.iter().zip(STAGES).map(|((name, _), colour)| ((*name).to_owned(), colour));
    let mut chart = format!("<h3>Milliseconds an image</h3>\n{}<div class=\"chart\">\n", key(names));
    for (i, (row, stages)) in staged.iter().enumerate() {
        chart += gap(i.checked_sub(1).map(|i| *staged[i].0), row);
        let mut start = 0.0;
        let mut bar = String::new();
        for ((name, ms), colour) in stages.iter().zip(STAGES) {
            bar += &scale.bar(start, *ms, colour, &format!("{name} {} ms", number(*ms)));
            start += ms;
        }
        chart += &scale.row(&series.label(row), &bar, &number(sum(stages)));
    }
    chart + &scale.axis("ms") + "</div>\n"
}

/// The gap between bars of different batch sizes.
fn gap(before: Option<&Row>, row: &Row) -> &'static str {
    if before.is_some_and(|before| before.key.batch != row.key.batch) { "<span class=\"gap\"></span>\n" } else { "" }
}

fn failed(name: &str, row: &Row) -> String {
    let error = escape(row.error.as_deref().unwrap_or_default());
    format!("<span class=\"name\">{name}</span><span class=\"failed\">{error}</span><span class=\"value\">–</span>\n")
}

/// A linear scale from zero, with ticks at round numbers.
struct Scale {
    end: f64,
    step: f64,
}

impl Scale {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let most = values.fold(f64::MIN_POSITIVE, f64::max);
        let power = 10_f64.powf((most / 4.0).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|n| n * power).into_iter().find(|step| step * 5.0 >= most);
        Self { end: most * 1.02, step: step.unwrap_or(most) }
    }

    /// The position of a value, in percent of the width.
    fn share(&self, value: f64) -> f64 {
        value / self.end * 100.0
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        (0..).map(|i| f64::from(i) * self.step).take_while(|tick| *tick <= self.end)
    }

    fn bar(&self, start: f64, length: f64, colour: &str, title: &str) -> String {
        let (x, width, title) = (self.share(start), self.share(length), escape(title));
        format!(
            "<rect x=\"{x:.2}%\" width=\"{width:.2}%\" height=\"100%\" fill=\"var(--{colour})\"><title>{title}</title></rect>"
        )
    }

    fn row(&self, name: &str, bar: &str, value: &str) -> String {
        let marks = self.ticks().map(|tick| {
            let x = self.share(tick);
            format!("<line class=\"tick\" x1=\"{x:.2}%\" x2=\"{x:.2}%\" y2=\"100%\"/>")
        });
        let marks: String = marks.collect();
        format!("<span class=\"name\">{name}</span><svg>{marks}{bar}</svg><span class=\"value\">{value}</span>\n")
    }

    fn axis(&self, unit: &str) -> String {
        let texts = self.ticks().map(|tick| {
            let anchor = if tick == 0.0 { "start" } else { "middle" };
            format!("<text x=\"{:.2}%\" y=\"75%\" text-anchor=\"{anchor}\">{}</text>", self.share(tick), short(tick))
        });
        let texts: String = texts.collect();
        format!(
            "<span class=\"name corner\"></span><svg class=\"axis\">{texts}</svg><span class=\"value\">{unit}</span>\n"
        )
    }
}

/// Formats a tick without rounding errors.
fn short(tick: f64) -> String {
    format!("{}", (tick * 1e6).round() / 1e6)
}

fn html(table: &Table) -> String {
    let line = |cells: &[String], tag: &str| {
        let cell = |(cell, right): (&String, &bool)| {
            let class = if *right { " class=\"right\"" } else { "" };
            format!("<{tag}{class}>{}</{tag}>", escape(cell))
        };
        format!("<tr>{}</tr>\n", cells.iter().zip(&table.right).map(cell).collect::<String>())
    };
    let cells: String = table.cells.iter().map(|cells| line(cells, "td")).collect();
    format!("<div class=\"scroll\"><table>\n{}{cells}</table></div>\n", line(&table.titles, "th"))
}

/// Escapes text from files and drivers.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{Scale, escape};

    #[test]
    fn text_stays_text() {
        assert_eq!(escape("<b a='1'>\"R&D\""), "&lt;b a=&#39;1&#39;&gt;&quot;R&amp;D&quot;");
    }

    #[test]
    fn scales_have_a_few_round_marks() {
        for (most, marks) in [(0.31, 4), (1.0, 6), (7.0, 4), (99.0, 6), (1234.0, 3)] {
            let scale = Scale::of([most / 3.0, most].into_iter());
            assert_eq!(scale.ticks().count(), marks, "{most}");
            assert!(scale.share(most) <= 100.0);
        }
    }
}
