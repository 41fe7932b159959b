//! What was measured, against the lists of what is accepted.

use super::super::reference_values::Accepted;
use crate::tdx::TdxRules;
use attestation::tdx::TdReport;

/// Every register with a list in `[tdx]`, each with what the TD has; one without a list asks nothing.
pub(super) fn of<'a>(
    rules: &'a TdxRules,
    td: &'a TdReport,
) -> impl Iterator<Item = (Accepted<'a, 48>, &'a [u8; 48])> {
    let [rtmr0, rtmr1, rtmr2, rtmr3] = &rules.rtmrs;
    let [td_rtmr0, td_rtmr1, td_rtmr2, td_rtmr3] = &td.rtmrs;
    let registers = [
        ("tdx.mrseam", rules.mrseam.as_ref(), &td.mr_seam),
        (
            "tdx.mrsignerseam",
            rules.mrsignerseam.as_ref(),
            &td.mr_signer_seam,
        ),
        ("tdx.mrtd", Some(&rules.mrtd), &td.mr_td),
        ("tdx.rtmr0", rtmr0.as_ref(), td_rtmr0),
        ("tdx.rtmr1", rtmr1.as_ref(), td_rtmr1),
        ("tdx.rtmr2", rtmr2.as_ref(), td_rtmr2),
        ("tdx.rtmr3", rtmr3.as_ref(), td_rtmr3),
        (
            "tdx.mrconfigid",
            rules.mrconfigid.as_ref(),
            &td.mr_config_id,
        ),
        ("tdx.mrowner", rules.mrowner.as_ref(), &td.mr_owner),
        (
            "tdx.mrownerconfig",
            rules.mrownerconfig.as_ref(),
            &td.mr_owner_config,
        ),
    ];
    registers.into_iter().map(|(rule, values, actual)| {
        let code = "policy.tdx.measurement";
        (Accepted { code, rule, values }, actual)
    })
}
