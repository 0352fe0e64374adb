/// Why TLS failed, and on whose account.
///
/// A ``configuration(_:source:)`` error is the operator's: it names the file, the reason and what to do. A ``peer(_:)`` error
/// ends the connection that it happened on, and nothing else.
public enum TLSError: Error, Equatable, Sendable {
    /// A certificate, a key or a setting cannot be used. `source` is where it came from: a path, or `memory`.
    case configuration(TLSConfigurationFault, source: String)
    /// The other side broke the protocol, or refused us, or cannot agree with us.
    case peer(TLSPeerFault)
    /// The engine has failed, was closed, or has been freed before this call.
    case closed
}

/// What is wrong with a certificate, a key or a setting.
public enum TLSConfigurationFault: Equatable, Sendable {
    /// The input has no PEM block of what is `expected`.
    case notPEM(expected: String)
    /// No certificate was given.
    case emptyChain
    /// The key is not that of the chain's first certificate, which came from `certificate`.
    case keyMismatch(certificate: String)
    /// The key is encrypted, and no passphrase was given.
    case passphraseMissing
    /// The key is encrypted with another passphrase.
    case passphraseWrong
    /// The certificate's time is over. `notAfter` is in seconds since 1970.
    case expired(subject: String, notAfter: Int64)
    /// The certificate's time has not begun. `notBefore` is in seconds since 1970.
    case notYetValid(subject: String, notBefore: Int64)
    /// A name that no certificate can carry.
    case invalidName(String)
    /// An ALPN name that is empty or longer than 255 bytes.
    case invalidProtocol(String)
    /// Bytes that are not ticket keys.
    case ticketKeySize(Int)
    /// OpenSSL refuses it, with its reason.
    case refused(String)
}

/// What the other side did.
public enum TLSPeerFault: Equatable, Sendable {
    /// It sent a fatal alert (RFC 8446, 6.2), by OpenSSL's name of it.
    case alert(String)
    /// It spoke HTTP without TLS.
    case plainHTTP
    /// What it sent is not TLS.
    case notTLS
    /// It offers no cipher, group or signature that is allowed here.
    case noSharedCipher
    /// It offers no protocol version that is allowed here.
    case noSharedVersion
    /// Its ALPN list has nothing that is spoken here (RFC 7301).
    case noSharedProtocol
    /// It sent no certificate, and one is required.
    case certificateMissing
    /// Its certificate does not verify, with OpenSSL's reason.
    case certificateRejected(String)
    /// It sent more KeyUpdates or renegotiations than the limit of the configuration.
    case tooManyKeyUpdates
    /// It broke the protocol otherwise, with OpenSSL's reason.
    case violation(String)
}

extension TLSError: CustomStringConvertible {
    /// One line for a log: the source, the reason and the remedy.
    public var description: String {
        switch self {
        case .configuration(let fault, let source): "\(source): \(fault)"
        case .peer(let fault): "TLS peer: \(fault)"
        case .closed: "the TLS engine is closed"
        }
    }
}

extension TLSConfigurationFault: CustomStringConvertible {
    /// The reason and the remedy.
    public var description: String {
        switch self {
        case .notPEM(let expected):
            "no PEM block of \(expected) in it; give a file that has a line -----BEGIN \(expected.uppercased())-----"
        case .emptyChain:
            "no certificate given; give a PEM chain, the server's own certificate first"
        case .keyMismatch(let certificate):
            "the private key does not match the certificate of \(certificate); "
                + "give the key that the certificate was requested with, and the server's own certificate first in its chain"
        case .passphraseMissing:
            "the private key is encrypted; give its passphrase, or decrypt it with `openssl pkey`"
        case .passphraseWrong:
            "the private key does not decrypt with this passphrase; give the one that it was encrypted with"
        case .expired(let subject, let notAfter):
            "the certificate of \(subject) expired at \(CivilTime.text(notAfter)); renew it (or set this machine's clock)"
        case .notYetValid(let subject, let notBefore):
            "the certificate of \(subject) is valid from \(CivilTime.text(notBefore)) only; "
                + "set this machine's clock, or wait until then"
        case .invalidName(let name):
            "\(name.debugDescription) is neither a DNS name nor an IP address; give names such as localhost or 127.0.0.1"
        case .invalidProtocol(let name):
            "\(name.debugDescription) is no ALPN protocol name; give 1 to 255 bytes, such as h2"
        case .ticketKeySize(let count):
            "\(count) bytes are not ticket keys; give what `exportKeys` returned, a multiple of \(TicketKey.size) bytes"
        case .refused(let reason):
            "OpenSSL refuses it (\(reason)); check that it is complete and meant for TLS"
        }
    }
}

extension TLSPeerFault: CustomStringConvertible {
    /// The reason.
    public var description: String {
        switch self {
        case .alert(let name): "it sent the alert \(name)"
        case .plainHTTP: "it spoke plain HTTP to a TLS port"
        case .notTLS: "it does not speak TLS"
        case .noSharedCipher: "no cipher suite in common"
        case .noSharedVersion: "no protocol version in common"
        case .noSharedProtocol: "no application protocol (ALPN) in common"
        case .certificateMissing: "it sent no certificate, and one is required"
        case .certificateRejected(let reason): "its certificate does not verify: \(reason)"
        case .tooManyKeyUpdates: "too many key updates or renegotiations"
        case .violation(let reason): "protocol violation: \(reason)"
        }
    }
}

/// Seconds since 1970 as `2026-01-31 12:00:00 UTC`: a certificate's times, for an error's text.
enum CivilTime {
    static func text(_ seconds: Int64) -> String {
        let day = Int64(86_400)
        let days = seconds >= 0 ? seconds / day : (seconds - day + 1) / day
        let time = seconds - days * day
        // Days to year, month and day, in years that begin in March (so that a leap day is the last).
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let march = (5 * dayOfYear + 2) / 153
        let month = march < 10 ? march + 3 : march - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let date = "\(year)-\(two(month))-\(two(dayOfYear - (153 * march + 2) / 5 + 1))"
        return "\(date) \(two(time / 3_600)):\(two(time / 60 % 60)):\(two(time % 60)) UTC"
    }

    private static func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
