// Assertions that a certificate signs, as a token request wants them: the files are read each time one is
// needed, so a renewed certificate takes effect without a restart.
#pragma once

#include <functional>

#include "stdlib/identity/certificate.hpp"
#include "stdlib/identity/token_request.hpp"

namespace flow {

using CertificateProvider = std::function<Result<ClientCertificate>()>;

AssertionProvider signed_assertion(CertificateProvider certificate, AssertionForm form);

}  // namespace flow
