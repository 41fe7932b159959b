//! The table "Encrypted or refused" of docs/protocol.md, read from the document.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

const DOCUMENT: &str = include_str!("../../../docs/protocol.md");
const HEADING: &str = "### Encrypted or refused";

/// What an unsealed request gets; no code where the answer is a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unsealed {
    pub(crate) status: u16,
    pub(crate) code: Option<String>,
}

/// One method of one path.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) method: String,
    /// With its placeholders.
    pub(crate) path: String,
    /// What it may get inside the seal.
    pub(crate) sealed: Vec<Unsealed>,
    pub(crate) gateway: Unsealed,
    pub(crate) runtime: Unsealed,
}

pub(crate) struct Table {
    pub(crate) routes: Vec<Route>,
}

impl Table {
    /// Panics where the document has no such table or a row says nothing.
    pub(crate) fn read() -> Self {
        let (_, section) = DOCUMENT.split_once(HEADING).expect("the section");
        let section = section.split("\n#").next().unwrap();
        let rows = section.lines().filter(|line| line.starts_with("| `"));
        let routes = rows.flat_map(read_row).collect();
        Self { routes }
    }

    /// Every path once.
    pub(crate) fn paths(&self) -> Vec<&str> {
        let mut paths: Vec<_> = self
            .routes
            .iter()
            .map(|route| route.path.as_str())
            .collect();
        paths.sort_unstable();
        paths.dedup();
        paths
    }

    fn of(&self, method: &str, path: &str) -> Option<&Route> {
        self.routes
            .iter()
            .find(|route| route.method == method && route.path == path)
    }

    fn any(&self, path: &str, is: impl Fn(&Route) -> bool) -> bool {
        self.routes
            .iter()
            .any(|route| route.path == path && is(route))
    }

    /// With a key.
    pub(crate) fn on_gateway(&self, method: &str, path: &str) -> Unsealed {
        let is_ours =
            |route: &Route| route.gateway.code.as_deref() != Some("gateway.unknown_route");
        match self.of(method, path) {
            Some(route) => route.gateway.clone(),
            None if self.any(path, is_ours) => Unsealed::new(405, "gateway.method"),
            None => Unsealed::new(404, "gateway.unknown_route"),
        }
    }

    pub(crate) fn without_key() -> Unsealed {
        Unsealed::new(401, "gateway.unauthorized")
    }

    pub(crate) fn on_runtime(&self, method: &str, path: &str) -> Unsealed {
        let route = self.of(method, path);
        route.map_or_else(
            || Unsealed::new(421, "runtime.unsealed"),
            |route| route.runtime.clone(),
        )
    }

    pub(crate) fn sealed(&self, method: &str, path: &str) -> Vec<Unsealed> {
        let is_served = |route: &Route| route.sealed.iter().any(|form| form.status == 200);
        match self.of(method, path) {
            Some(route) => route.sealed.clone(),
            None if self.any(path, is_served) => vec![Unsealed::new(405, "method_not_allowed")],
            None => vec![Unsealed::new(404, "unknown_url")],
        }
    }
}

impl Unsealed {
    fn new(status: u16, code: &str) -> Self {
        Self {
            status,
            code: Some(code.to_owned()),
        }
    }

    /// `404 CODE` with the code in backticks, or `200` and words.
    fn read(item: &str) -> Self {
        let status = item.trim().get(..3).and_then(|digits| digits.parse().ok());
        Self {
            status: status.unwrap_or_else(|| panic!("no status in {item:?}")),
            code: spans(item).next().map(str::to_owned),
        }
    }
}

fn read_row(row: &str) -> Vec<Route> {
    let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
    let [routes, sealed, unsealed] = cells[..] else {
        panic!("three cells: {row}")
    };
    let sealed: Vec<Unsealed> = sealed.split(" or ").map(Unsealed::read).collect();
    let side = |name: &str| {
        let item = unsealed.split(", ").find(|item| item.contains(name));
        Unsealed::read(item.unwrap_or_else(|| panic!("{name} says nothing: {row}")))
    };
    let (gateway, runtime) = (side("gateway"), side("runtime"));
    let mut read = Vec::new();
    for span in spans(routes) {
        let (methods, path) = span.rsplit_once(' ').unwrap();
        read.extend(methods.split(' ').map(|method| Route {
            method: method.to_owned(),
            path: path.to_owned(),
            sealed: sealed.clone(),
            gateway: gateway.clone(),
            runtime: runtime.clone(),
        }));
    }
    read
}

/// What stands in backticks.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}
