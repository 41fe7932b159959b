//! The items of a bundle as a table and as JSON, each with its window and whether that contains the time in question.

use attestation::{CollateralBundle, UnixTime, collateral::Item};
use serde_json::{Value, json};

use super::Exit;

/// Whether an item can be relied on at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Current,
    NotYet,
    Expired,
    Unreadable,
}

impl State {
    fn of(item: &Item, now: UnixTime) -> Self {
        match item.window {
            None => Self::Unreadable,
            Some(window) if now < window.not_before => Self::NotYet,
            Some(window) if now > window.not_after => Self::Expired,
            Some(_) => Self::Current,
        }
    }

    pub(super) const fn exit(self) -> Exit {
        match self {
            Self::Current => Exit::Accepted,
            Self::NotYet | Self::Expired => Exit::Rejected,
            Self::Unreadable => Exit::Malformed,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::NotYet => "not yet",
            Self::Expired => "expired",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Every item of a bundle, judged at one time.
pub(super) struct Contents(Vec<(Item, State)>);

impl Contents {
    pub(super) fn of(bundle: &CollateralBundle, now: UnixTime) -> Self {
        let items = bundle.contents().into_iter();
        Self(
            items
                .map(|item| {
                    let state = State::of(&item, now);
                    (item, state)
                })
                .collect(),
        )
    }

    /// The gravest state decides.
    pub(super) fn exit(&self) -> Exit {
        let exits = self.0.iter().map(|(_, state)| state.exit());
        exits.fold(Exit::Accepted, Exit::and)
    }

    pub(super) fn to_json(&self) -> Value {
        let items = self.0.iter().map(|(item, state)| {
            let at = |time: fn(&attestation::Window) -> UnixTime| {
                item.window.as_ref().map(|window| time(window).to_rfc3339())
            };
            json!({
                "kind": item.kind.code(),
                "name": item.name,
                "not_before": at(|window| window.not_before),
                "not_after": at(|window| window.not_after),
                "state": state.word(),
            })
        });
        Value::Array(items.collect())
    }

    /// One line for each item under a header; columns as wide as they must be.
    pub(super) fn to_text(&self) -> String {
        let header = ["KIND", "NAME", "FROM", "UNTIL", "STATE"].map(str::to_owned);
        let rows: Vec<[String; 5]> = std::iter::once(header).chain(self.rows()).collect();
        let widths = rows.iter().fold([0; 5], |widths, row| {
            let mut cells = row.iter();
            widths
                .map(|width: usize| width.max(cells.next().map_or(0, |cell| cell.chars().count())))
        });
        rows.iter().map(|row| line(row, widths)).collect()
    }

    fn rows(&self) -> impl Iterator<Item = [String; 5]> {
        self.0.iter().map(|(item, state)| {
            let [from, until] = match item.window {
                Some(window) => [window.not_before, window.not_after].map(UnixTime::to_rfc3339),
                None => ["-", "-"].map(str::to_owned),
            };
            let kind = item.kind.code().to_owned();
            [
                kind,
                printable(&item.name),
                from,
                until,
                state.word().to_owned(),
            ]
        })
    }
}

fn line(row: &[String; 5], widths: [usize; 5]) -> String {
    let cells = row.iter().zip(widths);
    let padded: Vec<String> = cells
        .map(|(cell, width)| format!("{cell:width$}"))
        .collect();
    format!("{}\n", padded.join("  ").trim_end())
}

/// Names come from certificates that nobody has verified: no control characters reach a terminal.
fn printable(name: &str) -> String {
    let shown = name.chars().map(|c| if c.is_control() { '?' } else { c });
    shown.take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn names_cannot_write_to_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\n"), "a?[2Jb?");
        assert_eq!(printable(&"x".repeat(200)).len(), 80);
    }
}
