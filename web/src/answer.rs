//! A request in, the verdict as JSON out.

use crate::{Trust, request::Request, verdict::Verdict};

/// Answers one request, whatever its bytes are.
///
/// The exit status is the one that the `narthex` command gives the same evidence where no policy speaks.
#[must_use]
pub fn answer(request: &[u8], trust: &Trust) -> String {
    let verdict = match Request::parse(request) {
        None => Verdict::no_request(),
        Some(request) => judge(&request, trust),
    };
    verdict.to_json().to_string()
}

fn judge(request: &Request, trust: &Trust) -> Verdict {
    match request {
        Request::Snp(snp) => snp.judge(trust),
        Request::Tdx(tdx) => tdx.judge(trust),
        Request::Nvidia(device) => device.judge(trust),
        Request::NvidiaMachine(machine) => machine.judge(trust),
        Request::Azure(vm) => vm.judge(trust),
        Request::Bundle(node) => node.judge(trust),
    }
}

#[cfg(test)]
mod tests;
