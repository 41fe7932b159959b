//! The draft: what was read, written as a policy.

use attestation::{
    UnixTime,
    snp::{Product, TcbVersion},
};
use std::{collections::BTreeSet, fmt::Write};

/// XFAM's features by bit, as `[tdx.xfam]` names them (docs/policy.md).
const FEATURES: [(u32, &str); 20] = [
    (0, "x87"),
    (1, "sse"),
    (2, "avx"),
    (3, "bndregs"),
    (4, "bndcsr"),
    (5, "opmask"),
    (6, "zmm_hi256"),
    (7, "hi16_zmm"),
    (8, "pt"),
    (9, "pkru"),
    (10, "pasid"),
    (11, "cet_u"),
    (12, "cet_s"),
    (13, "hdc"),
    (14, "uintr"),
    (15, "lbr"),
    (16, "hwp"),
    (17, "tilecfg"),
    (18, "tiledata"),
    (19, "apx"),
];

/// A policy in the making.
pub(super) struct Draft {
    pub(super) name: &'static str,
    pub(super) snp: SnpDraft,
    pub(super) tdx: TdxDraft,
    /// What has no place in a policy.
    pub(super) left: Vec<String>,
}

#[derive(Default)]
pub(super) struct SnpDraft {
    pub(super) floors: Vec<(Product, TcbVersion)>,
    /// 48 bytes each, in hexadecimal.
    pub(super) measurements: BTreeSet<String>,
    pub(super) required: BTreeSet<&'static str>,
    pub(super) forbidden: BTreeSet<&'static str>,
    /// Flags of the guest policy with another rule than the draft's own.
    pub(super) guest_policy: Vec<(&'static str, &'static str)>,
}

#[derive(Default)]
pub(super) struct TdxDraft {
    /// Register, and 48 bytes in hexadecimal.
    pub(super) registers: BTreeSet<(&'static str, String)>,
    pub(super) xfam: Option<u64>,
    pub(super) minimum_evaluation_number: u64,
}

impl Draft {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            snp: SnpDraft::default(),
            tdx: TdxDraft::default(),
            left: Vec::new(),
        }
    }

    pub(super) fn leave(&mut self, what: impl Into<String>) {
        self.left.push(what.into());
    }

    pub(super) fn to_toml(&self, now: UnixTime, expires: UnixTime) -> String {
        let mut toml = String::new();
        for left in &self.left {
            _ = writeln!(
                toml,
                "# not carried over: {}",
                left.replace(char::is_control, " ")
            );
        }
        _ = writeln!(
            toml,
            "schema = 1\nversion = 1\nname = {:?}\nnot_before = {}\nexpires = {}\n\n[freshness]\nmax_age_seconds = 3600",
            self.name,
            now.to_rfc3339(),
            expires.to_rfc3339(),
        );
        if !self.snp.measurements.is_empty() {
            self.snp.write(&mut toml);
        }
        if !self.tdx.registers.is_empty() {
            self.tdx.write(&mut toml);
        }
        toml
    }
}

impl SnpDraft {
    fn write(&self, toml: &mut String) {
        let products = self.floors.iter().map(|(product, _)| name(*product));
        _ = writeln!(
            toml,
            "\n[snp]\nproducts = {}\nminimum_report_version = 2\nvmpl = [0]\nsigning_keys = [\"vcek\"]",
            list(products)
        );
        for (index, digest) in self.measurements.iter().enumerate() {
            _ = writeln!(
                toml,
                "\n[[snp.measurements]]\nname = \"imported {}\"\ndigest = {digest:?}",
                index + 1
            );
        }
        for (product, floor) in &self.floors {
            _ = writeln!(
                toml,
                "\n[[snp.minimum_tcb]]\nproduct = {:?}\nbootloader = {}\ntee = {}\nsnp = {}\nmicrocode = {}",
                name(*product),
                floor.bootloader,
                floor.tee,
                floor.snp,
                floor.microcode
            );
        }
        self.write_guest_policy(toml);
        if !self.required.is_empty() || !self.forbidden.is_empty() {
            toml.push_str("\n[snp.platform_info]\n");
        }
        for (rule, flags) in [("required", &self.required), ("forbidden", &self.forbidden)] {
            if !flags.is_empty() {
                _ = writeln!(toml, "{rule} = {}", list(flags.iter().copied()));
            }
        }
    }

    fn write_guest_policy(&self, toml: &mut String) {
        const OWN: [(&str, &str); 8] = [
            ("smt", "allow"),
            ("migrate_ma", "forbid"),
            ("single_socket", "allow"),
            ("cxl_allow", "forbid"),
            ("mem_aes_256_xts", "allow"),
            ("rapl_dis", "allow"),
            ("ciphertext_hiding_dram", "allow"),
            ("page_swap_disable", "allow"),
        ];
        toml.push_str("\n[snp.guest_policy]\n");
        for (flag, own) in OWN {
            let read = self.guest_policy.iter().find(|(name, _)| *name == flag);
            let rule = read.map_or(own, |(_, rule)| rule);
            _ = writeln!(toml, "{flag} = {rule:?}");
        }
    }
}

impl TdxDraft {
    fn write(&self, toml: &mut String) {
        _ = writeln!(
            toml,
            "\n[tdx]\nstatuses = [\"UpToDate\"]\nminimum_evaluation_number = {}\nservice_td = \"forbid\"",
            self.minimum_evaluation_number
        );
        for (register, digest) in &self.registers {
            _ = writeln!(
                toml,
                "\n[[tdx.{register}]]\nname = \"imported {}\"\ndigest = {digest:?}",
                digest.get(..8).unwrap_or_default()
            );
        }
        toml.push_str(
            "\n[tdx.attributes]\nsept_ve_disable = \"require\"\nmigratable = \"forbid\"\npks = \"allow\"\nperfmon = \"forbid\"\n",
        );
        if let Some(xfam) = self.xfam {
            let named = FEATURES.iter().filter(|(bit, _)| xfam & (1 << bit) != 0);
            let named = list(named.map(|(_, name)| *name));
            _ = writeln!(toml, "\n[tdx.xfam]\nrequired = {named}");
        }
    }
}

/// Whether `[tdx.xfam]` has a name for every bit of `xfam`.
pub(super) fn has_names(xfam: u64) -> bool {
    let named: u64 = FEATURES.iter().map(|(bit, _)| 1 << bit).sum();
    xfam != 0 && xfam & !named == 0
}

const fn name(product: Product) -> &'static str {
    match product {
        Product::Milan => "milan",
        Product::Genoa => "genoa",
        Product::Turin => "turin",
    }
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("{name:?}")).collect();
    format!("[{}]", names.join(", "))
}
