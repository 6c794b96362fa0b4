// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

/// @title Consensus: tasks that several workers compute until enough of them agree
/// @notice How much a worker's word weighs follows from its score; how much agreement it takes, from the trust of the deal.
/// A worker contributes once to a task, and locks the stake that the deal names.
interface IConsensus {
    /// @notice Thrown when the worker has contributed to the task before.
    error AlreadyContributed(bytes32 taskId, address worker);

    /// @notice Thrown when the task has as many contributions as it may have.
    error TooManyContributors(bytes32 taskId, uint256 limit);

    /// @notice Thrown when the caller is not among those whose result was agreed on, or has revealed before.
    error NothingToReveal(bytes32 taskId, address worker);

    /// @notice Thrown when the digest is not that of the result agreed on, or not that which the caller's seal was made of.
    error WrongDigest(bytes32 taskId, address worker, bytes32 resultDigest);

    /// @notice Thrown when a call of the pool's owner comes from somebody else.
    error NotPoolOwner(bytes32 taskId, address caller, address poolOwner);

    /// @notice Thrown when the result cannot be finalized yet: `revealed` of `winners` have revealed, and the others have
    /// time until `deadline` (unix seconds).
    error RevealsMissing(bytes32 taskId, uint256 revealed, uint256 winners, uint256 deadline);

    /// @notice Thrown when a task is reopened although the result was revealed.
    error AlreadyRevealed(bytes32 taskId);

    /// @notice Thrown when the credibilities of results no longer fit 256 bits: this contribution cannot be counted.
    error CredibilityOverflow(uint256 credibility, uint256 added);

    event TaskReopen(bytes32 indexed taskid);
    event AccurateContribution(address indexed worker, bytes32 indexed taskid);
    event FaultyContribution(address indexed worker, bytes32 indexed taskid);

    /// @notice Commits to a result, and locks the stake of a worker. Enough agreement ends the contributions.
    /// @dev Deadline: 7 times the category's time after the match. A task has 64 contributors at most.
    /// @param resultHash keccak256(taskId, resultDigest)
    /// @param resultSeal keccak256(worker, taskId, resultDigest): a hash can be copied from others, a seal cannot.
    /// @param enclaveChallenge Address of the enclave's key; zero only if the deal asks for no enclave.
    /// @param enclaveSign EIP-191 signature of keccak256(resultHash, resultSeal) by the enclave, ignored without one.
    /// @param authorizationSign EIP-191 signature of keccak256(worker, taskId, enclaveChallenge) by the owner of the
    /// pool, or by the TEE broker if there is one and `enclaveChallenge` is set.
    function contribute(
        bytes32 taskId,
        bytes32 resultHash,
        bytes32 resultSeal,
        address enclaveChallenge,
        bytes calldata enclaveSign,
        bytes calldata authorizationSign
    ) external;

    /// @notice Opens the digest behind the caller's contribution to the result agreed on.
    /// @dev Deadline: twice the category's time after the agreement.
    /// Warning: a worker that never reveals loses its stake when the task is finalized.
    function reveal(bytes32 taskId, bytes32 resultDigest) external;

    /// @notice Rejects a result that nobody revealed in time, and takes contributions again. Called by the pool's owner.
    function reopen(bytes32 taskId) external;

    /// @notice Completes a task: app, dataset, pool and those who revealed are paid, everyone else who contributed loses
    /// its stake to them, and the callback is called. Called by the pool's owner once all have revealed, or some have and
    /// the time of the others is over, before the final deadline.
    /// @dev Scores change where there was somebody to be compared with and the work had a price.
    /// @param results Where the result is; kept and emitted, not bound by the digest.
    /// @param resultsCallback Data for the deal's callback; its hash must be the digest. Empty without callback.
    function finalize(bytes32 taskId, bytes calldata results, bytes calldata resultsCallback) external;
}
