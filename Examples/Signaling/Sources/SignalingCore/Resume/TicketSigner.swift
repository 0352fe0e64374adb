/// Signs resume tickets. Its keys are secret, and the same for all loops of a service.
package protocol TicketSigner: Sendable {
    func signature(of bytes: [UInt8]) -> [UInt8]
    /// Whether the signature is of the present key or of one before it. It takes as long for any that is not.
    func isValid(_ signature: [UInt8], of bytes: [UInt8]) -> Bool
}
