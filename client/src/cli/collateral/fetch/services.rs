//! Whom to ask: the vendors, or mirrors that the user names.

use clap::Args;
use provision::collateral::{BaseUrl, Sources};

/// Base URLs; https, or http to loopback.
#[derive(Args)]
#[command(next_help_heading = "Services")]
pub(super) struct Services {
    /// AMD's Key Distribution Service [default: https://kdsintf.amd.com]
    #[arg(long, value_name = "URL", value_parser = parse)]
    kds_url: Option<BaseUrl>,
    /// Intel's PCS or a caching service (PCCS) [default: https://api.trustedservices.intel.com]
    #[arg(long, value_name = "URL", value_parser = parse)]
    pcs_url: Option<BaseUrl>,
    /// NVIDIA's RIM service [default: https://rim.attestation.nvidia.com]
    #[arg(long, value_name = "URL", value_parser = parse)]
    rim_url: Option<BaseUrl>,
    /// NVIDIA's OCSP responder [default: https://ocsp.ndis.nvidia.com]
    #[arg(long, value_name = "URL", value_parser = parse)]
    ocsp_url: Option<BaseUrl>,
}

impl Services {
    pub(super) fn sources(self) -> Sources {
        let vendors = Sources::default();
        let sources = Sources {
            kds: self.kds_url.unwrap_or(vendors.kds),
            rim: self.rim_url.unwrap_or(vendors.rim),
            ocsp: self.ocsp_url.unwrap_or(vendors.ocsp),
            ..Sources::default()
        };
        match self.pcs_url {
            Some(pccs) => sources.with_pccs(pccs),
            None => sources,
        }
    }
}

fn parse(text: &str) -> Result<BaseUrl, String> {
    BaseUrl::parse(text).map_err(|error| error.to_string())
}
