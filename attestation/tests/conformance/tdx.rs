//! Intel TDX: quote, event log and collateral under the case's root.

use crate::case::{Case, Claims, Refusal};
use attestation::{
    danger,
    tdx::{self, Collateral, TdxClaims, TdxError},
};

pub(crate) fn verify(case: &Case) -> Result<Claims, Refusal> {
    match verified(case) {
        Ok(claims) => Ok(told(&claims)),
        Err(error) => Err(Refusal {
            code: error.code(),
            class: error.class(),
        }),
    }
}

fn verified(case: &Case) -> Result<TdxClaims, TdxError> {
    let [root, quote] = ["root", "quote"].map(|key| case.input(key));
    let event_log = case.optional("event_log");
    let document = case.optional("collateral");
    let collateral = document.as_deref().map(Collateral::from_json).transpose()?;
    let evidence = tdx::Evidence {
        quote: &quote,
        event_log: event_log.as_deref(),
    };
    let roots = danger::tdx_roots(&root);
    tdx::verify(&evidence, collateral.as_ref(), &roots, case.at())
}

fn told(claims: &TdxClaims) -> Claims {
    Claims::from([
        ("tcb_status", claims.tcb.status.name().to_owned()),
        ("debug", claims.td.attributes.debug().to_string()),
    ])
}
