//! A policy's text that admits one simulated machine; what a test wants otherwise it sets.

use crate::{Machine, Report};
use attestation::{
    Digest, UnixTime,
    snp::{Product, TcbVersion},
};
use std::fmt::Write;

/// The values of a policy document (docs/policy.md).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyText {
    /// `version`.
    pub version: u64,
    /// `name`.
    pub name: String,
    /// `not_before`.
    pub not_before: UnixTime,
    /// `expires`.
    pub expires: UnixTime,
    /// `freshness.max_age_seconds`.
    pub max_age_seconds: u64,
    /// The product.
    pub product: Product,
    /// The measurement.
    pub measurement: [u8; 48],
    /// The floor.
    pub minimum_tcb: TcbVersion,
    /// Models by name; none: `[models]` is left out.
    pub models: Vec<(String, Digest)>,
    /// Runtimes by name; none: `[runtime]` is left out.
    pub runtimes: Vec<(String, Digest)>,
    /// Whether `[snp]` is there.
    pub admits_snp: bool,
    /// `[tdx]`, if it is there.
    pub tdx: Option<TdxText>,
    /// `[gpu]`, if it is there.
    pub gpu: Option<GpuText>,
}

/// The values of `[tdx]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TdxText {
    /// The one MRTD.
    pub mrtd: [u8; 48],
    /// The one RTMR1.
    pub rtmr1: [u8; 48],
}

/// The values of `[gpu]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpuText {
    /// How many GPUs.
    pub count: usize,
    /// The one driver.
    pub driver: String,
    /// The one VBIOS.
    pub vbios: String,
}

/// A policy from `not_before` to `expires` that admits `machine` with any runtime and any model.
#[must_use]
pub fn demo_policy(machine: &Machine, not_before: UnixTime, expires: UnixTime) -> PolicyText {
    PolicyText::admitting(machine.report(), not_before, expires)
}

impl PolicyText {
    /// A policy from `not_before` to `expires` that admits machines with this report.
    #[must_use]
    pub fn admitting(report: &Report, not_before: UnixTime, expires: UnixTime) -> Self {
        Self {
            version: 1,
            name: "demonstration".to_owned(),
            not_before,
            expires,
            max_age_seconds: 3600,
            product: report.product,
            measurement: report.measurement,
            minimum_tcb: report.reported_tcb,
            models: Vec::new(),
            runtimes: Vec::new(),
            admits_snp: true,
            tdx: None,
            gpu: None,
        }
    }

    /// Also accepts this model; from the first call on, no other.
    #[must_use]
    pub fn model(mut self, name: &str, digest: Digest) -> Self {
        self.models.push((name.to_owned(), digest));
        self
    }

    /// The document.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut toml = format!(
            "schema = 1\nversion = {}\nname = {:?}\nnot_before = {}\nexpires = {}\n\n[freshness]\nmax_age_seconds = {}\n",
            self.version,
            self.name,
            self.not_before.to_rfc3339(),
            self.expires.to_rfc3339(),
            self.max_age_seconds,
        );
        if self.admits_snp {
            toml += &self.snp();
        }
        toml += &self.tdx.as_ref().map_or_else(String::new, TdxText::to_toml);
        toml += &self.gpu.as_ref().map_or_else(String::new, GpuText::to_toml);
        toml += &accepted("models", &self.models);
        toml += &accepted("runtime", &self.runtimes);
        toml
    }

    fn snp(&self) -> String {
        let product = format!("{:?}", self.product).to_lowercase();
        let TcbVersion {
            fmc,
            bootloader,
            tee,
            snp,
            microcode,
        } = self.minimum_tcb;
        let fmc = fmc.map_or_else(String::new, |fmc| format!("fmc = {fmc}\n"));
        let measurement = hex::encode(self.measurement);
        format!(
            r#"
[snp]
products = ["{product}"]
minimum_report_version = 2
vmpl = [0]
signing_keys = ["vcek"]

[[snp.measurements]]
name = "simulated guest"
digest = "{measurement}"
release = "0.1.0"

[[snp.minimum_tcb]]
product = "{product}"
{fmc}bootloader = {bootloader}
tee = {tee}
snp = {snp}
microcode = {microcode}

[snp.guest_policy]
smt = "allow"
migrate_ma = "forbid"
single_socket = "allow"
cxl_allow = "forbid"
mem_aes_256_xts = "allow"
rapl_dis = "allow"
ciphertext_hiding_dram = "allow"
page_swap_disable = "allow"

[snp.platform_info]
required = ["alias_check_complete"]
"#
        )
    }
}

impl TdxText {
    fn to_toml(&self) -> String {
        let [mrtd, rtmr1] = [self.mrtd, self.rtmr1].map(hex::encode);
        format!(
            r#"
[tdx]
statuses = ["UpToDate"]
minimum_evaluation_number = 1
service_td = "forbid"

[[tdx.mrtd]]
name = "simulated firmware"
digest = "{mrtd}"
release = "0.1.0"

[[tdx.rtmr1]]
name = "simulated kernel"
digest = "{rtmr1}"
release = "0.1.0"

[tdx.attributes]
sept_ve_disable = "require"
migratable = "forbid"
pks = "allow"
perfmon = "allow"
"#
        )
    }
}

impl GpuText {
    fn to_toml(&self) -> String {
        let Self {
            count,
            driver,
            vbios,
        } = self;
        format!(
            r#"
[gpu]
count = {count}
architectures = ["hopper"]
modes = ["spt"]
drivers = ["{driver}"]
vbios = ["{vbios}"]
"#
        )
    }
}

fn accepted(table: &str, entries: &[(String, Digest)]) -> String {
    let mut toml = String::new();
    for (name, digest) in entries {
        let digest = hex::encode(digest);
        write!(
            toml,
            "\n[[{table}.accepted]]\nname = {name:?}\ndigest = \"{digest}\"\n"
        )
        .expect("strings can be written to");
    }
    toml
}
