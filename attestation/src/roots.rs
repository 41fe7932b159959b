//! The vendors' root certificates and AMD's intermediates, pinned; each with its source and SHA-256 in `roots/README.md`.

mod nvidia;
mod tdx;

pub use nvidia::NvidiaRoots;
pub use tdx::TdxRoots;

use crate::{
    Digest, hash,
    snp::{Product, SigningKey},
};
use std::borrow::Cow;

/// Whom all evidence of a node is traced back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roots {
    /// AMD's.
    pub snp: SnpRoots,
    /// Intel's.
    pub tdx: TdxRoots,
    /// NVIDIA's.
    pub nvidia: NvidiaRoots,
}

impl Roots {
    /// The vendors' own.
    #[must_use]
    pub fn vendor() -> Self {
        Self {
            snp: SnpRoots::vendor(),
            tdx: TdxRoots::vendor(),
            nvidia: NvidiaRoots::vendor(),
        }
    }

    /// Names them: SHA-256 over every certificate.
    pub(crate) fn digest(&self) -> Digest {
        let SnpRoots {
            milan,
            genoa,
            turin,
        } = &self.snp;
        let amd = [milan, genoa, turin].map(|anchor| [&anchor.ark, &anchor.ask, &anchor.asvk]);
        let others = [&self.tdx.root, &self.nvidia.device, &self.nvidia.rim];
        let all = amd.iter().flatten().chain(&others);
        let ders: Vec<&[u8]> = all.map(|der| der.as_ref()).collect();
        hash::sha256_fields("narthex/1/roots", &ders)
    }
}

/// Whom SNP evidence is traced back to, per product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnpRoots {
    milan: SnpAnchor,
    genoa: SnpAnchor,
    turin: SnpAnchor,
}

/// One product's root key and its intermediates, DER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SnpAnchor {
    /// AMD root key: trusted as it is.
    pub(crate) ark: Cow<'static, [u8]>,
    /// AMD SEV key: issues VCEKs.
    ask: Cow<'static, [u8]>,
    /// AMD SEV VLEK key: issues VLEKs.
    asvk: Cow<'static, [u8]>,
}

const MILAN: [&[u8]; 3] = [
    include_bytes!("../roots/ark-milan.der"),
    include_bytes!("../roots/ask-milan.der"),
    include_bytes!("../roots/asvk-milan.der"),
];
const GENOA: [&[u8]; 3] = [
    include_bytes!("../roots/ark-genoa.der"),
    include_bytes!("../roots/ask-genoa.der"),
    include_bytes!("../roots/asvk-genoa.der"),
];
const TURIN: [&[u8]; 3] = [
    include_bytes!("../roots/ark-turin.der"),
    include_bytes!("../roots/ask-turin.der"),
    include_bytes!("../roots/asvk-turin.der"),
];

impl SnpRoots {
    /// AMD's own.
    #[must_use]
    pub fn vendor() -> Self {
        Self {
            milan: SnpAnchor::pinned(MILAN),
            genoa: SnpAnchor::pinned(GENOA),
            turin: SnpAnchor::pinned(TURIN),
        }
    }

    /// An invented vendor, the same for every product and kind of key; [`crate::danger`] alone hands it out.
    pub(crate) fn invented(ark: &[u8], ask: &[u8]) -> Self {
        let anchor = SnpAnchor {
            ark: Cow::Owned(ark.to_vec()),
            ask: Cow::Owned(ask.to_vec()),
            asvk: Cow::Owned(ask.to_vec()),
        };
        Self {
            milan: anchor.clone(),
            genoa: anchor.clone(),
            turin: anchor,
        }
    }

    pub(crate) const fn anchor(&self, product: Product) -> &SnpAnchor {
        match product {
            Product::Milan => &self.milan,
            Product::Genoa => &self.genoa,
            Product::Turin => &self.turin,
        }
    }
}

impl SnpAnchor {
    const fn pinned([ark, ask, asvk]: [&'static [u8]; 3]) -> Self {
        Self {
            ark: Cow::Borrowed(ark),
            ask: Cow::Borrowed(ask),
            asvk: Cow::Borrowed(asvk),
        }
    }

    /// The built-in issuer of keys of `kind`.
    pub(crate) fn intermediate(&self, kind: SigningKey) -> &[u8] {
        match kind {
            SigningKey::Vcek => &self.ask,
            SigningKey::Vlek => &self.asvk,
        }
    }

    /// Whether `der` is one of this anchor's own certificates.
    pub(crate) fn holds(&self, der: &[u8]) -> bool {
        [&self.ark, &self.ask, &self.asvk]
            .into_iter()
            .any(|own| own.as_ref() == der)
    }
}

#[cfg(test)]
mod tests {
    use super::{GENOA, MILAN, TURIN};
    use crate::{
        crypto,
        x509::{Algorithm, Certificate},
    };

    /// Every pinned file has its row, and every row its file.
    #[test]
    fn the_table_of_the_readme_is_true() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/roots");
        let readme = include_str!("../roots/README.md");
        let mut files = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|suffix| suffix != "der") {
                continue;
            }
            files += 1;
            let name = format!("`{}`", path.file_name().unwrap().to_str().unwrap());
            let row = readme.lines().find(|line| line.contains(&name));
            let digest = hex::encode(crypto::sha256(&std::fs::read(&path).unwrap()));
            assert!(row.is_some_and(|row| row.contains(&digest)), "{name}");
        }
        let rows = readme.lines().filter(|line| line.starts_with("| `"));
        assert_eq!(rows.count(), files);
    }

    #[test]
    fn each_root_signs_itself_and_its_intermediates() {
        for (product, files) in [("Milan", MILAN), ("Genoa", GENOA), ("Turin", TURIN)] {
            let [ark, ask, asvk] = files.map(|der| Certificate::parse(der).unwrap());
            for signed in [&ark, &ask, &asvk] {
                assert!(
                    signed.is_signed_by(&ark) && signed.algorithm() == Some(Algorithm::PssSha384)
                );
                assert_eq!(signed.issuer(), ark.subject());
            }
            assert_eq!(ark.common_name().unwrap(), format!("ARK-{product}"));
            assert_eq!(ask.common_name().unwrap(), format!("SEV-{product}"));
            assert_eq!(asvk.common_name().unwrap(), format!("SEV-VLEK-{product}"));
        }
    }

    #[test]
    fn a_root_signs_nothing_of_another_product() {
        let [milan, genoa] = [MILAN, GENOA].map(|[ark, ..]| Certificate::parse(ark).unwrap());
        let ask = Certificate::parse(MILAN[1]).unwrap();
        assert!(ask.is_signed_by(&milan) && !ask.is_signed_by(&genoa));
    }
}
