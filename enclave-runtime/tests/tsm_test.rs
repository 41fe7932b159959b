//! configfs-tsm against a fake tree: real files under a folder, filled in as the kernel would.

use attestation::{CpuEvidence, ReportData, SnpEvidence, UnixTime};
use enclave_runtime::{
    EvidenceSettings, discover,
    evidence::{Configfs, ReportTree, Tsm, TsmError, VekFile},
};
use std::{fs, io, path::PathBuf, sync::Mutex};
use tempfile::TempDir;

const REQUEST: ReportData = ReportData([0x5a; 64]);
const VCEK: u128 = 0x63da_758d_e664_4564_adc5_f4b9_3be8_accd;
const ASK: u128 = 0x4ab7_b379_bbac_4fe4_a02f_05ae_f327_c782;

/// What the firmware and the host do to the answers.
#[derive(Clone)]
struct Faults {
    provider: &'static str,
    generation: &'static str,
    report_data: Option<[u8; 64]>,
    report_bytes: usize,
    signing_key: u32,
    auxblob: Option<Vec<u8>>,
    foreign_writes: u64,
    unwritable: bool,
    quote: Option<Vec<u8>>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            provider: "sev_guest\n",
            generation: "0\n",
            report_data: None,
            report_bytes: 1184,
            signing_key: 0,
            auxblob: Some(table(&[(VCEK, der(1)), (ASK, der(2))])),
            foreign_writes: 0,
            unwritable: false,
            quote: None,
        }
    }
}

/// The kernel's side: a folder whose entries get their attributes when they are made and answers when they are written to.
struct FakeTree {
    root: PathBuf,
    files: Configfs,
    faults: Faults,
    writes: Mutex<Vec<String>>,
}

impl FakeTree {
    fn new(root: &TempDir, faults: Faults) -> Self {
        Self {
            root: root.path().to_owned(),
            files: Configfs::new(root.path().to_owned()),
            faults,
            writes: Mutex::default(),
        }
    }

    fn put(&self, name: &str, attribute: &str, bytes: &[u8]) {
        fs::write(self.root.join(name).join(attribute), bytes).unwrap();
    }

    fn answer(&self, name: &str, request: &[u8]) {
        if let Some(quote) = &self.faults.quote {
            let mut quote = quote.clone();
            let reserved = quote.iter().position(|byte| *byte == 0x77).unwrap();
            quote[reserved..reserved + 64].copy_from_slice(request);
            return self.put(name, "outblob", &quote);
        }
        let mut report = vec![0; 1184];
        report[0x48..0x4c].copy_from_slice(&(self.faults.signing_key << 2).to_le_bytes());
        report[0x50..0x90].copy_from_slice(
            self.faults
                .report_data
                .as_ref()
                .map_or(request, |data| data),
        );
        report.resize(self.faults.report_bytes, 0);
        self.put(name, "outblob", &report);
        if let Some(table) = &self.faults.auxblob {
            self.put(name, "auxblob", table);
        }
    }

    fn bump(&self, name: &str) {
        let text = fs::read_to_string(self.root.join(name).join("generation")).unwrap();
        if let Ok(generation) = text.trim().parse::<u64>() {
            let next = generation + 1 + self.faults.foreign_writes;
            self.put(name, "generation", format!("{next}\n").as_bytes());
        }
    }
}

impl ReportTree for FakeTree {
    fn create(&self, name: &str) -> io::Result<()> {
        self.files.create(name)?;
        self.put(name, "provider", self.faults.provider.as_bytes());
        self.put(name, "generation", self.faults.generation.as_bytes());
        if !self.faults.unwritable {
            self.put(name, "inblob", b"");
        }
        self.put(name, "privlevel", b"");
        Ok(())
    }

    fn write(&self, name: &str, attribute: &str, bytes: &[u8]) -> io::Result<()> {
        self.files.write(name, attribute, bytes)?;
        self.writes.lock().unwrap().push(attribute.to_owned());
        self.bump(name);
        if attribute == "inblob" {
            self.answer(name, bytes);
        }
        Ok(())
    }

    fn read(&self, name: &str, attribute: &str, max_bytes: usize) -> io::Result<Vec<u8>> {
        self.files.read(name, attribute, max_bytes)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        for file in fs::read_dir(self.root.join(name))? {
            fs::remove_file(file?.path())?;
        }
        self.files.remove(name)
    }
}

fn der(fill: u8) -> Vec<u8> {
    [vec![0x30, 0x82, 0x01, 0x00], vec![fill; 256]].concat()
}

fn table(certificates: &[(u128, Vec<u8>)]) -> Vec<u8> {
    let mut offset = u32::try_from((certificates.len() + 1) * 24).unwrap();
    let mut bytes = Vec::new();
    for (guid, der) in certificates {
        let length = u32::try_from(der.len()).unwrap();
        bytes.extend(guid.to_be_bytes());
        bytes.extend(offset.to_le_bytes());
        bytes.extend(length.to_le_bytes());
        offset += length;
    }
    bytes.extend([0; 24]);
    certificates.iter().for_each(|(_, der)| bytes.extend(der));
    bytes
}

/// The SNP evidence in a provider's answer.
fn snp(evidence: CpuEvidence) -> SnpEvidence {
    match evidence {
        CpuEvidence::Snp(snp) => snp,
        _ => panic!("the provider is sev_guest"),
    }
}

fn ask(faults: Faults) -> Result<SnpEvidence, TsmError> {
    let root = TempDir::new().unwrap();
    let tsm = Tsm::new(FakeTree::new(&root, faults), None, None);
    let outcome = tsm.report(&REQUEST).map(snp);
    let left = fs::read_dir(root.path()).unwrap().count();
    assert_eq!(left, 0, "the entry is removed, whatever happened");
    outcome
}

fn code(faults: Faults) -> &'static str {
    ask(faults).unwrap_err().code()
}

#[test]
fn a_report_with_the_hosts_certificates() {
    let evidence = ask(Faults::default()).unwrap();
    assert_eq!(evidence.report.len(), 1184);
    assert_eq!(evidence.report[0x50..0x90], REQUEST.0);
    assert_eq!(evidence.vek, der(1));
    assert_eq!(evidence.chain, [der(2)]);
}

#[test]
fn a_vmpl_is_asked_for_before_the_request() {
    let root = TempDir::new().unwrap();
    let tree = FakeTree::new(&root, Faults::default());
    Tsm::new(&tree, None, Some(2)).report(&REQUEST).unwrap();
    assert_eq!(*tree.writes.lock().unwrap(), ["privlevel", "inblob"]);
}

#[test]
fn the_operators_certificate_where_the_host_gives_none() {
    for auxblob in [None, Some(Vec::new()), Some(table(&[]))] {
        let root = TempDir::new().unwrap();
        let faults = Faults {
            auxblob,
            ..Faults::default()
        };
        let vek = VekFile::from_der(der(7)).unwrap();
        let tsm = Tsm::new(FakeTree::new(&root, faults.clone()), Some(vek), None);
        assert_eq!(snp(tsm.report(&REQUEST).unwrap()).vek, der(7));
        assert_eq!(code(faults), "vek.absent");
    }
}

#[test]
fn a_certificate_of_the_other_kind_is_none() {
    assert_eq!(
        code(Faults {
            signing_key: 1,
            ..Faults::default()
        }),
        "vek.absent"
    );
    assert_eq!(
        code(Faults {
            signing_key: 7,
            ..Faults::default()
        }),
        "vek.unsigned"
    );
}

#[test]
fn a_report_for_another_request() {
    assert_eq!(
        code(Faults {
            report_data: Some([1; 64]),
            ..Faults::default()
        }),
        "tsm.mismatch"
    );
}

#[test]
fn a_report_of_another_length() {
    for report_bytes in [0, 1183, 1185, 4096] {
        assert_eq!(
            code(Faults {
                report_bytes,
                ..Faults::default()
            }),
            "tsm.report_size"
        );
    }
    assert_eq!(
        code(Faults {
            report_bytes: 4097,
            ..Faults::default()
        }),
        "tsm.attribute"
    );
}

#[test]
fn another_writer() {
    assert_eq!(
        code(Faults {
            foreign_writes: 1,
            ..Faults::default()
        }),
        "tsm.race"
    );
}

#[test]
fn a_malformed_generation() {
    for generation in ["", "x", "-1", "99999999999999999999"] {
        assert_eq!(
            code(Faults {
                generation,
                ..Faults::default()
            }),
            "tsm.generation"
        );
    }
}

#[test]
fn another_platform() {
    for provider in ["arm_cca_guest\n", "", "sev_guest2\n"] {
        assert_eq!(
            code(Faults {
                provider,
                ..Faults::default()
            }),
            "tsm.provider"
        );
    }
}

#[test]
fn an_attribute_that_cannot_be_written() {
    assert_eq!(
        code(Faults {
            unwritable: true,
            ..Faults::default()
        }),
        "tsm.attribute"
    );
}

#[test]
fn a_table_of_the_host_that_is_malformed() {
    let with = |auxblob| Faults {
        auxblob: Some(auxblob),
        ..Faults::default()
    };
    let good = table(&[(VCEK, der(1))]);
    let mut outside = good.clone();
    outside[20..24].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(code(with(outside)), "cert_table.out_of_bounds");
    assert_eq!(code(with(good[..24].to_vec())), "cert_table.no_end");
    assert_eq!(
        code(with(table(&[(VCEK, der(1)), (VCEK, der(1))]))),
        "cert_table.doubled"
    );
    assert_eq!(
        code(with(table(&[(VCEK, vec![0; 300])]))),
        "cert_table.not_der"
    );
    assert_eq!(code(with(vec![0; 16 * 1024 + 1])), "tsm.attribute");
}

#[test]
fn an_entry_that_cannot_be_made() {
    let tsm = Tsm::new(Configfs::new("/nonexistent/tsm".into()), None, None);
    assert_eq!(tsm.report(&REQUEST).unwrap_err().code(), "tsm.create");
}

#[test]
fn a_machine_without_tee_is_refused() {
    let settings = EvidenceSettings {
        event_log: None,
        tsm_root: "/nonexistent/tsm".into(),
        vek: None,
        privlevel: None,
        nvml: None,
    };
    if !std::path::Path::new("/dev/sev-guest").exists() {
        assert!(discover(settings, UnixTime(0)).is_err());
    }
}

/// A quote's bytes up to REPORTDATA, which the fake platform fills in where it finds 77h.
fn quote(version: u8, offset: usize) -> Vec<u8> {
    let mut quote = vec![0; offset];
    quote[0] = version;
    quote.extend([0x77; 64]);
    quote
}

fn tdx(quote: Vec<u8>) -> Faults {
    Faults {
        provider: "tdx_guest\n",
        quote: Some(quote),
        auxblob: None,
        ..Faults::default()
    }
}

#[test]
fn a_quote_with_the_guests_event_log() {
    for quote in [quote(4, 48 + 520), quote(5, 54 + 520)] {
        let root = TempDir::new().unwrap();
        let tree = FakeTree::new(&root, tdx(quote));
        let tsm = Tsm::new(&tree, None, Some(1)).with_event_log(Some(vec![9]));
        let CpuEvidence::Tdx(evidence) = tsm.report(&REQUEST).unwrap() else {
            panic!("the provider is tdx_guest");
        };
        assert_eq!(evidence.quote[evidence.quote.len() - 64..], REQUEST.0);
        assert_eq!(evidence.event_log, Some(vec![9]));
        assert_eq!(*tree.writes.lock().unwrap(), ["inblob"], "TDX has no VMPL");
    }
}

#[test]
fn a_quote_for_another_request_or_of_another_version() {
    for quote in [quote(4, 54 + 520), quote(3, 48 + 520)] {
        let root = TempDir::new().unwrap();
        let tsm = Tsm::new(FakeTree::new(&root, tdx(quote)), None, None);
        assert_eq!(tsm.report(&REQUEST).unwrap_err().code(), "tsm.mismatch");
    }
}
