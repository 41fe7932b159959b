//! Judging a node that is verified already: typed rules against the same rules in Rego, on the same claims, in the same rounds.

mod cases;
mod counting;
mod input;
mod rego;
#[allow(dead_code, reason = "lines for people are printed otherwise here")]
#[path = "../../src/timing.rs"]
mod timing;
mod typed;

use cases::Case;
use counting::Counting;
use rego::Rego;
use std::{collections::BTreeSet, error::Error};
use timing::{in_turn, print_ratio};
use typed::Typed;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> Result<(), Box<dyn Error>> {
    for case in cases::all()? {
        case.spoilt().try_for_each(|case| agree(&case))?;
        compare(&case)?;
    }
    Ok(())
}

/// Both sides must deny a node that the policy does not mean, for the same reasons: what is compared does the same.
fn agree(case: &Case) -> Result<(), Box<dyn Error>> {
    let ours: BTreeSet<_> = Typed(case).codes().into_iter().collect();
    let theirs = Rego::new(case)?.codes()?;
    if ours.is_empty() || ours != theirs {
        return Err(format!(
            "{} {:?}: we say {ours:?}, the peer {theirs:?}",
            case.name, case.what
        )
        .into());
    }
    Ok(())
}

fn compare(case: &Case) -> Result<(), Box<dyn Error>> {
    let (mut typed, mut rego) = (Typed(case), Rego::new(case)?);
    let denied = rego.codes()?;
    if !denied.is_empty() {
        return Err(format!("{}: the peer denies: {denied:?}", case.name).into());
    }
    let [own, peers] = [typed.allocations()?, rego.allocations()];
    let mut evaluate = || drop(rego.evaluate());
    let [ours, theirs] = in_turn([&mut typed, &mut evaluate]);
    println!("{}: {}", case.name, case.what);
    print(&ours, own, "typed rules");
    print(
        &theirs,
        peers,
        "crate regorus 0.14, compiled for its virtual machine",
    );
    print_ratio(&format!("policy.{}.vs_regorus", case.name), &ours, &theirs);
    Ok(())
}

fn print(timing: &timing::Timing, allocations: u64, what: &str) {
    let nanoseconds = 1e9 / timing.per_second();
    let spread = timing.spread_percent();
    println!("  {nanoseconds:>9.0} ns ±{spread:.1} %, {allocations} allocations  {what}");
}
