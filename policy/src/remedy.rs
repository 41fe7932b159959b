//! What would satisfy each rule: the one table of all reason codes.

use crate::Reason;

/// Each code with what would satisfy its rule, in the order in which reasons are told.
const REMEDIES: &[(&str, &str)] = &[
    (
        "policy.not_before",
        "wait until the policy begins, or correct the clock",
    ),
    (
        "policy.expired",
        "take the policy's successor; if there is none, its signers must release one",
    ),
    (
        "policy.anchors",
        "run the node on hardware whose vendor's root this build has pinned; a simulation is never admitted",
    ),
    (
        "policy.freshness",
        "ask the node for new evidence over a new nonce",
    ),
    (
        "policy.collateral",
        "fetch the vendor's current certificates and lists (`narthex collateral fetch`), and have the node's renewed",
    ),
    (
        "policy.collateral.age",
        "fetch the vendor's current collateral (`narthex collateral fetch`)",
    ),
    (
        "policy.lease",
        "have those who hold the role timestamp sign one, and see that it reaches this host",
    ),
    (
        "policy.stopped.everything",
        "nothing on this side: everything is stopped until a start order",
    ),
    (
        "policy.stopped.node",
        "use another node; this one is stopped until a start order",
    ),
    (
        "policy.stopped.hardware",
        "use a node of other hardware; this piece is stopped until a start order",
    ),
    (
        "policy.stopped.model",
        "serve another model; this one is stopped until a start order",
    ),
    (
        "policy.stopped.measurement",
        "start the guest from another release; this one is stopped until a start order",
    ),
    (
        "policy.stopped.tenant",
        "nothing on this side: the tenant is stopped until a start order",
    ),
    (
        "policy.stopped.site",
        "use a node of another site; this one is stopped until a start order",
    ),
    (
        "policy.snp.milan",
        "list the chip in the inventory, or run the node on a newer product",
    ),
    (
        "policy.residency.masked",
        "have the host unmask CHIP_ID and sign with a VCEK, so that the chip can be looked up",
    ),
    (
        "policy.residency.unlisted",
        "list the hardware in the inventory (`narthex policy inventory`), and have the inventory reach this host",
    ),
    ("policy.residency.country", "use a node in a listed country"),
    ("policy.residency.site", "use a node at a listed site"),
    ("policy.residency.owner", "use a node of a listed owner"),
    (
        "policy.cpu",
        "run the node on a TEE that the policy has a table for, or give the policy a table for this one",
    ),
    (
        "policy.snp.product",
        "run the node on a listed product, or add this one to snp.products with a floor of its own",
    ),
    (
        "policy.snp.report_version",
        "update the SEV firmware so that it writes the newer report",
    ),
    (
        "policy.snp.vmpl",
        "have the runtime ask for its report at a listed VMPL",
    ),
    (
        "policy.snp.signing_key",
        "have the host sign reports with a listed key: a VCEK where a chip must be named",
    ),
    (
        "policy.snp.revocation",
        "give the ARK's revocation list with the collateral (`narthex collateral fetch`) or with the evidence",
    ),
    (
        "policy.snp.csp_id",
        "run the node at a listed cloud provider, or list this one",
    ),
    (
        "policy.snp.measurement",
        "start the guest from a listed image; if this image is meant, list its measurement (`narthex measure snp`)",
    ),
    (
        "policy.snp.host_data",
        "start the guest with listed HOST_DATA; if this start is meant, list its value",
    ),
    (
        "policy.snp.id_key",
        "sign the guest's ID block with a listed ID key",
    ),
    (
        "policy.snp.author_key",
        "have a listed author key sign the guest's ID key",
    ),
    (
        "policy.snp.family_id",
        "start the guest with an ID block of a listed family",
    ),
    (
        "policy.snp.image_id",
        "start the guest with an ID block of a listed image",
    ),
    (
        "policy.snp.guest_svn",
        "start a newer release of the guest, whose ID block has the higher GUEST_SVN",
    ),
    (
        "policy.snp.minimum_tcb",
        "update the host's firmware to the floor and commit it, so that REPORTED_TCB rises",
    ),
    (
        "policy.snp.advisory",
        "update the component to the version with the advisory's fix and commit it; for LAUNCH_TCB, start the guest anew after that",
    ),
    (
        "policy.snp.debug",
        "start the guest without DEBUG; no policy and no exception accepts it",
    ),
    (
        "policy.snp.guest_policy.reserved",
        "start the guest with a guest policy whose reserved bits are as AMD 56860 has them, or update Narthex if AMD has named them since",
    ),
    (
        "policy.snp.guest_policy",
        "start the guest with the flag as the policy says",
    ),
    (
        "policy.snp.platform_info",
        "configure the host (firmware setup, SNP initialisation) so that the flag is as the policy says",
    ),
    (
        "policy.snp.mitigation",
        "update the host's firmware until it reports the mitigations, then start the guest anew",
    ),
    (
        "policy.tdx.status",
        "update the platform (microcode, TDX module, quoting enclave) until Intel's TCB info gives it an accepted status",
    ),
    (
        "policy.tdx.grace",
        "install the fixes whose day of grace has passed: microcode, TDX module or quoting enclave",
    ),
    (
        "policy.tdx.advisory",
        "install the advisory's fixes; to live with it for a time, list it in tdx.advisories with a date",
    ),
    (
        "policy.tdx.evaluation_number",
        "fetch newer collateral from Intel (`narthex collateral fetch`)",
    ),
    (
        "policy.tdx.pce_svn",
        "update the platform's SGX software and have its PCK certificate renewed",
    ),
    (
        "policy.tdx.fmspc",
        "run the node on a listed platform, or list this one's FMSPC",
    ),
    (
        "policy.tdx.measurement",
        "start the guest from a listed firmware, kernel and command line; if these are meant, list the register's value",
    ),
    (
        "policy.tdx.events",
        "boot the guest as the rule says, and have the node send its event log with the evidence",
    ),
    (
        "policy.tdx.service_td",
        "start the guest with or without a service TD, as the policy says",
    ),
    (
        "policy.tdx.debug",
        "start the guest without debugging; no policy and no exception accepts it",
    ),
    (
        "policy.tdx.attributes",
        "start the guest with the attribute as the policy says",
    ),
    (
        "policy.tdx.xfam",
        "start the guest with the features that the policy names and no other",
    ),
    (
        "policy.gpu",
        "give the policy a table [gpu], or take the devices off the guest",
    ),
    (
        "policy.gpu.count",
        "hand the guest exactly as many devices as the policy says",
    ),
    (
        "policy.gpu.topology",
        "hand the guest a whole machine under protected PCIe, with all its switches and nothing else",
    ),
    (
        "policy.gpu.architecture",
        "run the node on GPUs of a listed architecture",
    ),
    ("policy.gpu.chip", "run the node on GPUs of a listed chip"),
    ("policy.gpu.board", "run the node on GPUs of a listed board"),
    (
        "policy.gpu.mode",
        "set the GPUs up for a listed mode of confidential computing",
    ),
    (
        "policy.gpu.driver",
        "install a driver in the guest that is listed and not below the floor",
    ),
    (
        "policy.gpu.vbios",
        "flash the device with a version of its firmware that is listed and not below the floor",
    ),
    (
        "policy.model",
        "serve a listed model under its listed name; if this model is meant, list its name and digest",
    ),
    (
        "policy.model.window",
        "serve a model that is accepted now; if this one is still meant, have its approval renewed",
    ),
    (
        "policy.model.retired",
        "serve the model's successor: this one was withdrawn",
    ),
    (
        "policy.model.tokenizer",
        "serve the model with the tokenizer that was approved with it",
    ),
    (
        "policy.model.template",
        "serve the model with the chat template that was approved with it",
    ),
    (
        "policy.runtime",
        "run a listed build of the runtime; if this build is meant, list its digest",
    ),
    (
        "policy.engine.mode",
        "start the runtime with a listed engine mode",
    ),
    (
        "policy.engine.kernels",
        "run listed kernels; if these are meant, list their digest",
    ),
    (
        "policy.engine.isa",
        "run the node where a listed instruction set is chosen",
    ),
    (
        "policy.aibom",
        "start the runtime with the model's bill of materials (`narthex aibom`); if this one is meant, list its digest",
    ),
    (
        "policy.channel.padding",
        "start the runtime with the padding profile that is asked for, or a stricter one",
    ),
    (
        "policy.channel.cache_scope",
        "have the runtime keep nothing beyond a listed scope",
    ),
    (
        "policy.limits.context_tokens",
        "start the runtime with a smaller context",
    ),
    (
        "policy.limits.request_bytes",
        "start the runtime with a smaller limit of request bodies",
    ),
    (
        "policy.engine.devices",
        "have the runtime ask its GPUs for evidence (`evidence.gpus`), or compute on the CPU",
    ),
    (
        "policy.engine.self_test",
        "have the GPUs pass the runtime's known-answer test; one that fails it is broken or runs other code",
    ),
    (
        "policy.engine.gpu",
        "run an engine that states its code for GPUs, or take the GPUs off the guest",
    ),
    (
        "policy.engine.cubins",
        "run a listed build of the code for GPUs; if this build is meant, list its digest",
    ),
    (
        "policy.engine.arithmetic",
        "start the runtime with a listed arithmetic",
    ),
    (
        "policy.engine.driver",
        "install a driver in the guest that is not below the floor",
    ),
    (
        "policy.engine.stated_driver",
        "start the runtime anew, so that it states the driver that is loaded",
    ),
    (
        "policy.engine.stated_mode",
        "run a released runtime: this one's engine and its code for GPUs contradict each other",
    ),
    (
        "policy.rego",
        "what the policy's own module says; its authors know",
    ),
    (
        "policy.rego.failed",
        "have the policy's signers mend their module: it gave no answer for this node",
    ),
];

/// Codes of what no exception waives: what every policy demands, its own life and lease; what hides its identity; what a document lists by digest, each with a window
/// of its own, or with a floor of its own; and a module, which says its exceptions itself.
const DEMANDED: &[&str] = &[
    "policy.not_before",
    "policy.expired",
    "policy.anchors",
    "policy.freshness",
    "policy.collateral",
    "policy.lease",
    "policy.rego",
    "policy.rego.failed",
    "policy.cpu",
    "policy.engine.devices",
    "policy.engine.self_test",
    "policy.engine.stated_driver",
    "policy.engine.stated_mode",
    "policy.snp.milan",
    "policy.snp.product",
    "policy.snp.measurement",
    "policy.snp.debug",
    "policy.snp.guest_policy.reserved",
    "policy.tdx.measurement",
    "policy.tdx.debug",
    "policy.gpu",
    "policy.model",
    "policy.model.retired",
    "policy.model.window",
    "policy.residency.masked",
    "policy.runtime",
];

/// `code` as the table has it, if an exception can waive its reasons. Stop orders have none.
pub(crate) fn waivable(code: &str) -> Option<&'static str> {
    let is_demanded = DEMANDED.contains(&code) || code.starts_with("policy.stopped.");
    let mut known = reason_codes();
    known.find(|known| *known == code && !is_demanded)
}

/// Every code that a reason can have, with what would satisfy its rule.
pub fn remedies() -> impl Iterator<Item = (&'static str, &'static str)> {
    REMEDIES.iter().copied()
}

/// Every code that a reason can have.
pub fn reason_codes() -> impl Iterator<Item = &'static str> {
    REMEDIES.iter().map(|(code, _)| *code)
}

/// What would satisfy a rule that gives reasons with `code`; `None` if no rule does.
#[must_use]
pub fn remedy_of(code: &str) -> Option<&'static str> {
    let found = REMEDIES.iter().find(|(known, _)| *known == code);
    found.map(|(_, remedy)| *remedy)
}

impl Reason {
    /// What would satisfy the rule.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        remedy_of(self.code).unwrap_or("ask those who sign the policy")
    }
}
