//! What stop orders say about a node; no policy and no exception lifts them.

use super::{Subject, told};
use crate::{HardwareId, Orders, Placement, Reason, Stopped, Target};
use attestation::CpuClaims;

/// Every order against the node: everything, its hardware, its model, its measurement, its sites.
pub(super) fn reasons(subject: &Subject<'_>) -> Vec<Reason> {
    let orders = subject.around.orders;
    let mut reasons = Vec::new();
    if orders.stops_nothing() {
        return reasons;
    }
    reasons.extend(everything(orders));
    for id in subject.hardware() {
        let target = Target::Hardware(id);
        reasons.extend(stopped(orders, &target, "policy.stopped.hardware"));
    }
    reasons.extend(masked(subject));
    let model = Target::Model(subject.claims.manifest.model_digest);
    reasons.extend(stopped(orders, &model, "policy.stopped.model"));
    let measurement = measurement(subject).map(Target::Measurement);
    reasons.extend(
        measurement.and_then(|target| stopped(orders, &target, "policy.stopped.measurement")),
    );
    reasons.extend(sites(subject));
    reasons
}

/// The order against everything.
pub(super) fn everything(orders: &Orders) -> Option<Reason> {
    stopped(orders, &Target::Everything, "policy.stopped.everything")
}

/// The order against the node of this name.
pub(crate) fn node(orders: &Orders, name: &str) -> Option<Reason> {
    let target = Target::Node(name.to_owned());
    stopped(orders, &target, "policy.stopped.node")
}

/// The order against the tenant with this key.
pub(crate) fn tenant(orders: &Orders, key: &[u8; 32]) -> Option<Reason> {
    stopped(orders, &Target::Tenant(*key), "policy.stopped.tenant")
}

/// A CPU that hides its identifier may be the one that was stopped, or stand at the site that was.
fn masked(subject: &Subject<'_>) -> Option<Reason> {
    let order = subject.around.orders.of_unknown_place()?;
    let is_masked = HardwareId::of_cpu(subject.claims).is_none();
    is_masked.then(|| of_order(order, "policy.stopped.hardware"))
}

fn stopped(orders: &Orders, target: &Target, code: &'static str) -> Option<Reason> {
    let order = orders.stopped(target)?;
    Some(of_order(order, code))
}

fn of_order(order: &Stopped, code: &'static str) -> Reason {
    let (issued, why) = (order.issued.to_rfc3339(), told(&order.reason));
    Reason::new(
        code,
        format!("order {}", order.serial),
        "a start order",
        format!("stopped since {issued}: {why}"),
    )
}

fn measurement(subject: &Subject<'_>) -> Option<[u8; 48]> {
    match &subject.claims.cpu {
        CpuClaims::Snp(claims) => Some(claims.measurement),
        CpuClaims::Tdx(claims) => Some(claims.td.mr_td),
        _ => None,
    }
}

/// An entry counts here even when it is of another time: what stood at a stopped site is not cleared by moving a date.
fn sites(subject: &Subject<'_>) -> Vec<Reason> {
    let Some(inventory) = subject.around.inventory else {
        return Vec::new();
    };
    let mut sites: Vec<_> = subject
        .hardware()
        .filter_map(|id| inventory.find(&id))
        .map(|Placement { site, .. }| site)
        .collect();
    sites.sort();
    sites.dedup();
    let stopped = sites.into_iter().filter_map(|site| {
        let target = Target::Site(site.clone());
        stopped(subject.around.orders, &target, "policy.stopped.site")
    });
    stopped.collect()
}
