// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

/// @title ProofLib: what workers commit to, and what pools and enclaves sign
/// @dev Each is what its comment says, hashed without setting memory aside.
library ProofLib {
    bytes32 private constant TASK_RESULT_TYPEHASH = keccak256(
        "TaskResult(bytes32 taskid,address worker,bytes32 resultDigest)"
    );

    /// @notice keccak256(abi.encodePacked(worker, taskId, resultDigest)): a hash can be copied from others, a seal cannot.
    function sealOf(address worker, bytes32 taskId, bytes32 resultDigest) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(start, shl(96, worker))
            mstore(add(start, 20), taskId)
            mstore(add(start, 52), resultDigest)
            result := keccak256(start, 84)
        }
    }

    /// @notice keccak256(abi.encodePacked(worker, taskId, enclaveChallenge)): lets this worker and enclave do the task.
    function authorizationOf(
        address worker,
        bytes32 taskId,
        address enclaveChallenge
    ) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(start, shl(96, worker))
            mstore(add(start, 20), taskId)
            mstore(add(start, 52), shl(96, enclaveChallenge))
            result := keccak256(start, 72)
        }
    }

    /// @notice keccak256(abi.encode(outputDigest, keccak256(results), keccak256(resultsCallback))): covers all that is
    /// handed in.
    function digestOf(
        bytes32 outputDigest,
        bytes calldata results,
        bytes calldata resultsCallback
    ) internal pure returns (bytes32 result) {
        (bytes32 resultsHash, bytes32 callbackHash) = (keccak256(results), keccak256(resultsCallback));
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(start, outputDigest)
            mstore(add(start, 32), resultsHash)
            mstore(add(start, 64), callbackHash)
            result := keccak256(start, 96)
        }
    }

    /// @notice The EIP-712 struct hash of TaskResult(bytes32 taskid,address worker,bytes32 resultDigest): what an enclave
    /// signs to have a result settled.
    function resultOf(address worker, bytes32 taskId, bytes32 resultDigest) internal pure returns (bytes32 result) {
        bytes32 typeHash = TASK_RESULT_TYPEHASH;
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(start, typeHash)
            mstore(add(start, 32), taskId)
            mstore(add(start, 64), shr(96, shl(96, worker)))
            mstore(add(start, 96), resultDigest)
            result := keccak256(start, 128)
        }
    }
}
