import ArgumentParser
import Heliograph
import SignalingAuth
import SignalingCore

/// Makes and checks tokens.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Makes tokens for clients, and checks those that they have.",
        subcommands: [Mint.self, Check.self])

    /// Now, in milliseconds since 1970.
    static var now: Int64 { EventLoop.unixMilliseconds }

    struct Mint: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints a token.",
            discussion: """
                EXAMPLES
                  signaling token mint --secret-file secret --subject ada --room 'team-*'
                  signaling token mint --key-file private.pem --kid 2026 --subject ada --room '*' --grant join
                """)

        @Option(help: "A file with the secret that signs it, by HS256.") var secretFile: String?
        @Option(help: "A PEM file with the private key that signs it: RSA, P-256 or Ed25519.") var keyFile: String?
        @Option(help: "The name of the key, as its kid.") var kid: String?
        @Option(help: "Whom it is for.") var subject: String
        @Option(help: "The name that others see.") var name: String?
        @Option(help: "A room, or a pattern of rooms with '*'. May be repeated.") var room: [String] = []
        @Option(help: "join, call, publish, list or admin. May be repeated. [default: join call publish]")
        var grant: [String] = []
        @Option(help: "How many members its rooms may have.") var maxPeers: Int?
        @Option(help: "A DTLS fingerprint that its descriptions may have. May be repeated.") var fingerprint: [String] =
            []
        @Option(help: ArgumentHelp("How long it is good.", valueName: "seconds")) var lifetime = 3600
        @Option(help: "Its iss.") var issuer = "signaling"
        @Option(help: "Its aud.") var audience = "signaling"

        func run() async throws {
            guard (1...31_536_000).contains(lifetime) else {
                throw ValidationError("--lifetime is from 1 to 31536000 seconds")
            }
            var claims = TokenClaims()
            claims.iss = issuer
            claims.aud = .init([audience])
            claims.sub = subject
            let now = TokenCommand.now / 1000
            claims.iat = Double(now)
            claims.exp = Double(now + Int64(lifetime))
            claims.name = name
            claims.rooms = room
            claims.grants = grant.isEmpty ? nil : grant
            claims.maxPeers = maxPeers
            claims.fingerprints = fingerprint.isEmpty ? nil : fingerprint
            do {
                // What the service would refuse is said now.
                _ = try claims.identity(limits: ServiceLimits())
                print(try await key().sign(claims))
            } catch let refusal as TokenRefusal {
                throw ValidationError(refusal.detail)
            } catch let failure as TokenKey.Failure {
                throw ValidationError("\(failure)")
            }
        }

        private func key() async throws -> TokenKey {
            switch (secretFile, keyFile) {
            case (let path?, nil): try await .secret(KeyFile.secret(path), id: kid)
            case (nil, let path?): try await .pem(String(decoding: KeyFile.read(path), as: UTF8.self), id: kid)
            default: throw ValidationError("give --secret-file or --key-file")
            }
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints what a token gives, or the code that the service would refuse it with.")

        @Option(help: "A file with the secret of HS256 tokens.") var secretFile: String?
        @Option(help: "A PEM file with a public key: RSA, P-256 or Ed25519. May be repeated.")
        var keyFile: [String] = []
        @Option(help: "A file with public keys, as a JSON Web Key Set.") var jwksFile: String?
        @Option(help: "Whom it has to be for: its aud.") var audience = "signaling"
        @Option(help: "Who has to have made it: its iss.") var issuer = "signaling"
        @Argument(help: "The token.") var token: String

        func run() async throws {
            var access = ServiceConfiguration.Access()
            access.secret = try secretFile.map { Secret(path: $0, bytes: try KeyFile.secret($0)) }
            access.keyFiles = keyFile
            access.keySet = jwksFile
            access.audiences = [audience]
            access.issuers = [issuer]
            let keys = try await access.keys()
            guard !keys.isEmpty else {
                throw ValidationError("give a key, as the service has it, such as --secret-file")
            }
            let verifier = access.verifier(keys, ServiceLimits())
            switch await verifier.identity(Array(token.utf8), unixMilliseconds: TokenCommand.now) {
            case .failure(let refusal): throw ValidationError("\(refusal.problem.rawValue): \(refusal.detail)")
            case .success(let identity): print(Self.describe(identity))
            }
        }

        private static func describe(_ identity: Identity) -> String {
            func text(_ utf8: [UInt8]) -> String { String(decoding: utf8, as: UTF8.self) }
            var lines = ["subject: \(text(identity.subject?.utf8 ?? []))"]
            if let name = identity.name { lines.append("name: \(text(name))") }
            lines.append("rooms: \(identity.rooms.map { text($0.utf8) }.joined(separator: " "))")
            lines.append("grants: \(identity.grants.names.joined(separator: " "))")
            if let maxPeers = identity.maxPeers { lines.append("max_peers: \(maxPeers)") }
            if let expires = identity.expires { lines.append("expires: \(expires / 1000)") }
            if !identity.fingerprints.isEmpty {
                lines.append("fingerprints: \(identity.fingerprints.joined(separator: ", "))")
            }
            return lines.joined(separator: "\n")
        }
    }
}
