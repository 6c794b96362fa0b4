// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

/// @title Failures: what an enclave could not compute, and why
interface IFailures {
    /// @notice The task ended without a result: app or input made it impossible, as the enclave that `worker` ran signed.
    /// `cause` is a number of the list that enclaves keep.
    event TaskFailed(bytes32 indexed taskid, address indexed worker, uint256 cause);

    /// @notice Ends a task of trust 1 at once: who pays is refunded, the pool's stake is released, nobody is punished.
    /// Anyone may call, before the deadline for contributions.
    /// @param worker Whom the enclave was authorized for.
    /// @param cause Why; decided and signed by the enclave.
    /// @param enclaveChallenge Address of the enclave's key; there is no failure without an enclave.
    /// @param enclaveSign EIP-191 signature, by the enclave, of the EIP-712 struct hash (without domain: the task's id has
    /// chain and Hub in it) of TaskFailure(bytes32 taskid,address worker,uint256 cause).
    /// @param authorizationSign As in `contributeAndFinalize`.
    function settleFailure(
        bytes32 dealid,
        uint256 idx,
        address worker,
        uint256 cause,
        address enclaveChallenge,
        bytes calldata enclaveSign,
        bytes calldata authorizationSign
    ) external;
}
