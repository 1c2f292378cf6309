//! The return of a fleet as an SVG, for light and for dark.

use crate::summary::grouped;
use std::fmt::Write;

/// A line of the plot: how many CONNECTs came, and how many devices were back, in each second.
pub struct Line<'a> {
    pub name: &'a str,
    pub arrivals: &'a [u32],
    pub back: &'a [u32],
}

/// On light, on dark, width, dashes.
const STYLES: [(&str, &str, f64, &str); 5] = [
    ("#d32f2f", "#ff8a80", 1.1, "none"),
    ("#c77700", "#ffb74d", 1.5, "none"),
    ("#2e7d32", "#81c995", 1.5, "none"),
    ("#7b1fa2", "#d7a6f0", 1.5, "6 4"),
    ("#0b57d0", "#8ab4f8", 2.6, "none"),
];

const WIDTH: f64 = 960.0;
const LEFT: f64 = 86.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 84.0;
const PANEL: f64 = 220.0;
/// Between panels, for the labels of one and the title of the next.
const GAP: f64 = 74.0;
const HEIGHT: f64 = TOP + 3.0 * PANEL + 2.0 * GAP + 52.0;
/// Of the third panel, in seconds.
const HERD: usize = 120;
/// Points of a line at the most.
const POINTS: usize = 400;

/// Where values lie in a panel.
struct Panel {
    top: f64,
    /// In seconds.
    span: f64,
    /// At the top of the panel: devices, or decades.
    height: f64,
}

impl Panel {
    fn x(&self, second: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * second / self.span
    }

    fn y(&self, value: f64) -> f64 {
        self.top + PANEL * (1.0 - value / self.height)
    }

    fn y_log(&self, value: f64) -> f64 {
        self.y(value.max(1.0).log10())
    }
}

/// Draws at most five lines over `span` seconds.
pub fn draw(title: &str, lines: &[Line], devices: u32, admit: u32, span: usize) -> String {
    assert!(lines.len() <= STYLES.len(), "more lines than can be told apart");
    let span = round_up(span.max(10));
    let peak = lines.iter().flat_map(|line| line.arrivals).copied().max().unwrap_or(1);
    let decades = f64::from(peak.max(10)).log10().ceil();
    let panel = |number: f64, span: usize, height| Panel {
        top: TOP + number * (PANEL + GAP),
        span: span as f64,
        height,
    };
    let mut svg = head(title, lines);

    let back = panel(0.0, span, f64::from(devices));
    let quarters: Vec<(f64, String)> = (0..=4)
        .map(|quarter| f64::from(devices) * f64::from(quarter) / 4.0)
        .map(|devices| (back.y(devices), grouped(devices as u64)))
        .collect();
    frame(&mut svg, &back, "Devices back", &quarters);
    let soonest = f64::from(devices) / f64::from(admit);
    let all = soonest.min(back.span);
    dotted(&mut svg, (back.x(0.0), back.y(0.0)), (back.x(all), back.y(all * f64::from(admit))));
    for (style, line) in lines.iter().enumerate() {
        let last = line.back.last().copied().unwrap_or(0);
        let points = (0..=POINTS).map(|point| {
            let second = span * point / POINTS;
            // Index 0 is the end of the first second.
            let back = if second == 0 { 0 } else { line.back.get(second - 1).copied().unwrap_or(last) };
            (second as f64, f64::from(back))
        });
        polyline(&mut svg, style, points.map(|(second, value)| (back.x(second), back.y(value))));
    }

    let rate = panel(1.0, span, decades);
    let bin = span.div_ceil(POINTS);
    let name = format!("CONNECTs a second, means of {bin} s (log scale)");
    frame(&mut svg, &rate, &name, &decade_labels(&rate));
    for (style, line) in lines.iter().enumerate() {
        let bins = line.arrivals.chunks(bin).take(span / bin).enumerate().map(|(place, bin_of)| {
            let mean = bin_of.iter().map(|count| f64::from(*count)).sum::<f64>() / bin as f64;
            ((place as f64 + 0.5) * bin as f64, mean)
        });
        polyline(&mut svg, style, bins.map(|(second, value)| (rate.x(second), rate.y_log(value))));
    }
    accepted(&mut svg, &rate, admit);

    let herd = panel(2.0, HERD, decades);
    let name = format!("The first {HERD} seconds: CONNECTs in each second (log scale)");
    frame(&mut svg, &herd, &name, &decade_labels(&herd));
    for (style, line) in lines.iter().enumerate() {
        let counts = line.arrivals.iter().take(HERD).enumerate();
        let points =
            counts.map(|(second, count)| (herd.x(second as f64 + 0.5), herd.y_log(f64::from(*count))));
        polyline(&mut svg, style, points);
    }
    accepted(&mut svg, &herd, admit);
    let (x, y) = (LEFT + (WIDTH - LEFT - RIGHT) / 2.0, HEIGHT - 12.0);
    let _ =
        writeln!(svg, r#"<text x="{x:.0}" y="{y:.0}" text-anchor="middle">seconds after the loss</text>"#);
    svg.push_str("</svg>\n");
    svg
}

fn head(title: &str, lines: &[Line]) -> String {
    let mut svg = String::new();
    let (mut light, mut dark) = (String::new(), String::new());
    for (number, (on_light, on_dark, width, dashes)) in STYLES.iter().enumerate() {
        let _ = writeln!(
            light,
            ".l{number} {{ stroke: {on_light}; stroke-width: {width}; stroke-dasharray: {dashes} }}"
        );
        let _ = write!(dark, " .l{number} {{ stroke: {on_dark} }}");
    }
    let _ = writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img">
<title>{title}</title>
<style>
text {{ font: 13px system-ui, "DejaVu Sans", sans-serif; fill: #1f2328 }}
.t {{ font-weight: 600 }}
.b {{ fill: #ffffff }}
.g {{ stroke: #d8dee4; fill: none }}
.d {{ stroke: #59636e; stroke-dasharray: 2 3; fill: none }}
.n {{ fill: #59636e; stroke: #ffffff; stroke-width: 4; paint-order: stroke }}
polyline {{ fill: none; stroke-linejoin: round }}
{light}@media (prefers-color-scheme: dark) {{
text {{ fill: #e6edf3 }} .b {{ fill: #0d1117 }} .g {{ stroke: #30363d }} .d {{ stroke: #9198a1 }} .n {{ fill: #9198a1; stroke: #0d1117 }}
{dark}
}}
</style>
<rect class="b" width="100%" height="100%"/>
<text class="t" x="{LEFT}" y="24">{title}</text>"#
    );
    let mut x = LEFT;
    for (number, line) in lines.iter().enumerate() {
        let _ = writeln!(
            svg,
            r#"<path class="l{number}" d="M{x} 43h26"/><text x="{}" y="47">{}</text>"#,
            x + 32.0,
            line.name
        );
        // A letter is some eight wide.
        x += 58.0 + 8.0 * line.name.len() as f64;
    }
    svg
}

/// Title, grid and labels.
fn frame(svg: &mut String, panel: &Panel, title: &str, rows: &[(f64, String)]) {
    let (bottom, right) = (panel.top + PANEL, WIDTH - RIGHT);
    let _ = writeln!(svg, r#"<text class="t" x="{LEFT}" y="{:.0}">{title}</text>"#, panel.top - 10.0);
    for (y, label) in rows {
        let _ = writeln!(svg, r#"<path class="g" d="M{LEFT} {y:.1}H{right}"/>"#);
        let (x, y) = (LEFT - 8.0, y + 4.5);
        let _ = writeln!(svg, r#"<text x="{x}" y="{y:.1}" text-anchor="end">{label}</text>"#);
    }
    let step = step(panel.span as usize);
    for second in (0..=panel.span as usize).step_by(step) {
        let (x, y) = (panel.x(second as f64), bottom + 20.0);
        let _ = writeln!(svg, r#"<path class="g" d="M{x:.1} {}V{bottom}"/>"#, panel.top);
        let label = grouped(second as u64);
        let _ = writeln!(svg, r#"<text x="{x:.1}" y="{y}" text-anchor="middle">{label}</text>"#);
    }
}

fn decade_labels(panel: &Panel) -> Vec<(f64, String)> {
    let decades = panel.height as u32;
    (0..=decades).map(|decade| (panel.y(f64::from(decade)), grouped(10u64.pow(decade)))).collect()
}

/// What the broker takes.
fn accepted(svg: &mut String, panel: &Panel, admit: u32) {
    let y = panel.y_log(f64::from(admit));
    let right = WIDTH - RIGHT;
    dotted(svg, (LEFT, y), (right, y));
    let (x, y) = (right - 6.0, y + 15.0);
    let _ = writeln!(
        svg,
        r#"<text class="n" x="{x}" y="{y:.1}" text-anchor="end">accepted: {} a second</text>"#,
        grouped(admit.into())
    );
}

fn dotted(svg: &mut String, from: (f64, f64), to: (f64, f64)) {
    let _ = writeln!(svg, r#"<path class="d" d="M{:.1} {:.1}L{:.1} {:.1}"/>"#, from.0, from.1, to.0, to.1);
}

fn polyline(svg: &mut String, style: usize, points: impl Iterator<Item = (f64, f64)>) {
    let _ = write!(svg, r#"<polyline class="l{style}" points=""#);
    for (x, y) in points {
        let _ = write!(svg, "{x:.1},{y:.1} ");
    }
    svg.truncate(svg.trim_end().len());
    svg.push_str("\"/>\n");
}

/// Between vertical lines: about eight, at round numbers.
fn step(span: usize) -> usize {
    let rough = (span / 8).max(1);
    let power = 10usize.pow(rough.ilog10());
    [1, 2, 5, 10].map(|factor| factor * power).into_iter().find(|step| *step >= rough).unwrap_or(rough)
}

fn round_up(span: usize) -> usize {
    span.next_multiple_of(step(span))
}
