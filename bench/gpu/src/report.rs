//! What is told: lines for people, and `ratio NAME VALUE` for programs.

use std::collections::BTreeMap;

/// What stands before every line of a dry run.
const DRY: &str = "dry run, no measurement: ";

/// What the numbers are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Of the device.
    Measured,
    /// Of an emulated device, tiny shapes, or a tool that watches: that the code runs, and nothing else.
    Dry,
}

/// PyTorch's rates on the same machine, by our names for them.
#[derive(Default)]
pub struct Peer(BTreeMap<String, f64>);

impl Peer {
    /// Of lines `NAME VALUE`; others are comments.
    pub fn parse(text: &str) -> Self {
        let line = |line: &str| {
            let (name, value) = line.split_once(' ')?;
            let value = value.trim().parse().ok()?;
            Some((name.to_owned(), value))
        };
        Self(text.lines().filter_map(line).collect())
    }
}

/// Takes lines as they are found.
pub struct Report {
    standing: Standing,
    peer: Peer,
    sink: Box<dyn FnMut(String)>,
}

impl Report {
    /// Lines go to `sink`.
    pub fn new(standing: Standing, peer: Peer, sink: impl FnMut(String) + 'static) -> Self {
        Self {
            standing,
            peer,
            sink: Box::new(sink),
        }
    }

    /// The peer's rate of that name, if it has one.
    pub(crate) fn peer(&self, name: &str) -> Option<f64> {
        self.peer.0.get(name).copied()
    }

    pub(crate) fn rate(&mut self, name: &str, value: f64, unit: &str) {
        self.line(&format!("gpu.{name:<28} {value:>10.1} {unit}"));
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.line(text);
    }

    pub(crate) fn ratio(&mut self, name: &str, value: f64) {
        self.line(&format!("ratio gpu.{name} {value:.2}"));
    }

    /// Our rate and the peer's of the same name; nothing where there is no peer.
    pub(crate) fn beside(&mut self, name: &str, own: f64) {
        if let Some(peer) = self.peer(name) {
            self.ratio(&format!("{name}.vs_pytorch"), own / peer);
        }
    }

    fn line(&mut self, text: &str) {
        let before = match self.standing {
            Standing::Measured => "",
            Standing::Dry => DRY,
        };
        (self.sink)(format!("{before}{text}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cell::RefCell, rc::Rc};

    fn told(standing: Standing, peer: &str) -> Vec<String> {
        let lines = Rc::new(RefCell::new(Vec::new()));
        let sink = Rc::clone(&lines);
        let push = move |line| sink.borrow_mut().push(line);
        let mut report = Report::new(standing, Peer::parse(peer), push);
        report.ratio("a", 0.816);
        report.beside("b", 3.0);
        report.beside("c", 3.0);
        lines.take()
    }

    #[test]
    fn a_ratio_is_told_where_there_is_a_peer() {
        let peer = "pytorch 2.15.0 and so on\nb 2.0\n";
        let expected = ["ratio gpu.a 0.82", "ratio gpu.b.vs_pytorch 1.50"];
        assert_eq!(told(Standing::Measured, peer), expected);
    }

    #[test]
    fn no_line_of_a_dry_run_passes_for_a_measurement() {
        let lines = told(Standing::Dry, "");
        assert_eq!(lines, ["dry run, no measurement: ratio gpu.a 0.82"]);
    }
}
