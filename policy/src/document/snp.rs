//! The table `[snp]` of schema 1.

mod mitigations;
mod tcb;

use super::{
    PolicyError,
    mistakes::Mistakes,
    reader::{Field, Section},
    reference_values,
    schema::{allow_list, optional},
};
use crate::{
    AllowList,
    bit_rule::BIT_RULES,
    snp::{
        GuestPolicyBit, GuestPolicyRules, IdentityRules, PRODUCTS, PlatformInfoBit,
        PlatformInfoRules, REVOCATION_RULES, SIGNING_KEYS, SnpRules,
        platform_info::PLATFORM_INFO_BITS,
    },
};
use attestation::snp::{Product, SigningKey};

pub(super) fn read(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<SnpRules> {
    let mut snp = field.section(mistakes)?;
    let products = snp.read("products", mistakes, products);
    let minimum_report_version =
        snp.read("minimum_report_version", mistakes, minimum_report_version);
    let vmpl = snp.read("vmpl", mistakes, vmpl);
    let signing_keys = snp.read("signing_keys", mistakes, signing_keys);
    let revocation = optional(&mut snp, "revocation", mistakes, |field, m| {
        field.named(&REVOCATION_RULES, m)
    });
    let csp_ids = csp_ids(&mut snp, signing_keys.as_ref(), mistakes);
    let measurements = snp.read("measurements", mistakes, reference_values::digests);
    let identity = identity(&mut snp, mistakes);
    let tcb_fields = tcb::fields(&mut snp, mistakes);
    let minimum_tcb = tcb::floors(&mut snp, products.as_ref(), mistakes);
    let advisories = tcb::advisories(&mut snp, products.as_ref(), mistakes);
    let guest_policy = snp.read("guest_policy", mistakes, guest_policy);
    let platform_info = platform_info(&mut snp, mistakes);
    let required_mitigations = mitigations::read(&mut snp, mistakes);
    snp.close(mistakes);
    Some(SnpRules {
        products: products?,
        minimum_report_version: minimum_report_version?,
        vmpl: vmpl?,
        signing_keys: signing_keys?,
        revocation: revocation?.unwrap_or_default(),
        csp_ids: csp_ids?,
        measurements: measurements?,
        identity: identity?,
        tcb_fields: tcb_fields?,
        minimum_tcb: minimum_tcb?,
        advisories: advisories?,
        guest_policy: guest_policy?,
        platform_info: platform_info?,
        required_mitigations: required_mitigations?,
    })
}

fn products(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<AllowList<Product>> {
    let product = |field: Field<'_>, m: &mut Mistakes<'_>| field.named(&PRODUCTS, m);
    allow_list(field, mistakes, product, Product::eq)
}

fn minimum_report_version(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<u32> {
    u32::try_from(field.integer(2..=5, mistakes)?).ok()
}

fn vmpl(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<AllowList<u32>> {
    let level =
        |field: Field<'_>, m: &mut Mistakes<'_>| u32::try_from(field.integer(0..=3, m)?).ok();
    allow_list(field, mistakes, level, u32::eq)
}

fn signing_keys(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<AllowList<SigningKey>> {
    let key = |field: Field<'_>, m: &mut Mistakes<'_>| field.named(&SIGNING_KEYS, m);
    allow_list(field, mistakes, key, SigningKey::eq)
}

/// `csp_ids`: of VLEKs, which must be accepted.
fn csp_ids(
    snp: &mut Section<'_>,
    signing_keys: Option<&AllowList<SigningKey>>,
    mistakes: &mut Mistakes<'_>,
) -> Option<Option<AllowList<String>>> {
    let Some(field) = snp.optional("csp_ids") else {
        return Some(None);
    };
    let (offset, path) = (field.at, field.path.clone());
    let text = |field: Field<'_>, m: &mut Mistakes<'_>| field.text(m);
    let csp_ids = allow_list(field, mistakes, text, String::eq)?;
    if !signing_keys?.contains(&SigningKey::Vlek) {
        let other = "`snp.signing_keys`, which does not accept vlek";
        mistakes.note(offset, |at| PolicyError::Conflict {
            at,
            field: path,
            other,
        });
    }
    Some(Some(csp_ids))
}

fn identity(snp: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<IdentityRules> {
    let host_data = optional(snp, "host_data", mistakes, reference_values::values);
    let id_keys = optional(snp, "id_keys", mistakes, reference_values::digests);
    let author_keys = optional(snp, "author_keys", mistakes, reference_values::digests);
    let family_ids = optional(snp, "family_ids", mistakes, reference_values::values);
    let image_ids = optional(snp, "image_ids", mistakes, reference_values::values);
    let minimum_guest_svn = optional(snp, "minimum_guest_svn", mistakes, |field, m| {
        u32::try_from(field.integer(0..=u64::from(u32::MAX), m)?).ok()
    });
    Some(IdentityRules {
        host_data: host_data?,
        id_keys: id_keys?,
        author_keys: author_keys?,
        family_ids: family_ids?,
        image_ids: image_ids?,
        minimum_guest_svn: minimum_guest_svn?,
    })
}

/// `[snp.guest_policy]`: every flag must be spoken about.
fn guest_policy(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<GuestPolicyRules> {
    let mut section = field.section(mistakes)?;
    let rules = GuestPolicyBit::ALL
        .map(|bit| section.read(bit.name(), mistakes, |field, m| field.named(&BIT_RULES, m)));
    section.close(mistakes);
    let rules: Option<Vec<_>> = rules.into_iter().collect();
    rules?.try_into().ok().map(GuestPolicyRules)
}

/// `[snp.platform_info]`: optional, and so is each of its lists, but not both.
fn platform_info(snp: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<PlatformInfoRules> {
    let Some(field) = snp.optional("platform_info") else {
        return Some(PlatformInfoRules::default());
    };
    let (offset, path) = (field.at, field.path.clone());
    let mut section = field.section(mistakes)?;
    let required = flags(&mut section, "required", mistakes);
    let forbidden = flags(&mut section, "forbidden", mistakes);
    section.close(mistakes);
    if required.iter().any(|bit| forbidden.contains(bit)) {
        let other = "itself: a flag is both required and forbidden";
        mistakes.note(offset, |at| PolicyError::Conflict {
            at,
            field: path,
            other,
        });
    }
    Some(PlatformInfoRules {
        required,
        forbidden,
    })
}

fn flags(
    section: &mut Section<'_>,
    name: &str,
    mistakes: &mut Mistakes<'_>,
) -> Vec<PlatformInfoBit> {
    let bits = section.optional(name).and_then(|field| {
        let read = |f: Field<'_>, m: &mut Mistakes<'_>| f.named(&PLATFORM_INFO_BITS, m);
        allow_list(field, mistakes, read, PlatformInfoBit::eq)
    });
    bits.map_or_else(Vec::new, |bits| bits.iter().copied().collect())
}
