// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Settlement, TaskStatus} from "../types/Deals.sol";

/// @title Tasks: initialize, contribute and finalize, settle, claim, call back
interface ITasks {
    /// @notice Thrown when no deal has this id.
    error UnknownDeal(bytes32 dealId);

    /// @notice Thrown when the deal has no task `index`: it has `size` tasks from `first` on.
    error IndexOutOfDeal(bytes32 dealId, uint256 index, uint256 first, uint256 size);

    /// @notice Thrown when `taskId` is not in a status that allows the call.
    error WrongStatus(bytes32 taskId, TaskStatus status);

    /// @notice Thrown when the call came at or after `deadline` (unix seconds).
    error DeadlinePassed(bytes32 taskId, uint256 deadline);

    /// @notice Thrown when the call came before `deadline` (unix seconds).
    error DeadlineNotReached(bytes32 taskId, uint256 deadline);

    /// @notice Thrown when a task whose result must be replicated is finalized by one worker.
    error TrustNotOne(bytes32 taskId, uint256 trust);

    /// @notice Thrown when the deal's callback is set, or callback data is given, and the data does not hash to the
    /// result digest.
    error WrongCallbackData(bytes32 taskId, bytes32 resultDigest, bytes32 callbackHash);

    /// @notice Thrown when the deal's tag asks for an enclave and the contribution names none.
    error EnclaveRequired(bytes32 taskId);

    /// @notice Thrown when `authorizer` (the pool's owner, or the TEE broker) did not authorize this worker and enclave.
    error NotAuthorized(bytes32 taskId, address worker, address enclaveChallenge, address authorizer);

    /// @notice Thrown when `taskId` was reopened after contributions: it is for several workers now.
    error HasContributions(bytes32 taskId);

    /// @notice Thrown when a result without enclave is settled by somebody else than its worker.
    error NotWorker(bytes32 taskId, address caller, address worker);

    /// @notice Thrown when a batch without results is settled.
    error NothingToSettle(bytes32 dealId);

    /// @notice Thrown when the result was not signed by the enclave's key.
    error NotSignedByEnclave(bytes32 taskId, address enclaveChallenge);

    /// @notice Thrown when so little gas is left that the callback would get less than its due.
    error CallbackStarved(uint256 gasLeft, uint256 callbackGas);

    /// @notice Thrown by `resultFor` while the task is not completed.
    error TaskPending(bytes32 taskId, TaskStatus status);

    event TaskInitialize(bytes32 indexed taskid, address indexed workerpool);
    event TaskContribute(bytes32 indexed taskid, address indexed worker, bytes32 hash);
    event TaskConsensus(bytes32 indexed taskid, bytes32 consensus);
    event TaskReveal(bytes32 indexed taskid, address indexed worker, bytes32 digest);
    event TaskFinalize(bytes32 indexed taskid, bytes results);
    event TaskClaimed(bytes32 indexed taskid);

    /// @notice Opens task `index` of a deal. Anyone may call, at any time.
    /// @return taskId keccak256(deal id, index)
    function initialize(bytes32 dealId, uint256 index) external returns (bytes32 taskId);

    /// @notice Delivers the result of a task of trust 1 in one step: everybody is paid and the callback is called.
    /// @dev The caller is the worker. Deadline: 7 times the category's time after the match.
    /// @param resultDigest What the enclave signed: resultHash = keccak256(taskId, resultDigest),
    /// resultSeal = keccak256(worker, taskId, resultDigest), signature over keccak256(resultHash, resultSeal).
    /// @param results Where the result is; kept and emitted, not bound by the digest.
    /// @param resultsCallback Data for the deal's callback; its hash must be the digest. Empty without callback.
    /// @param enclaveChallenge Address of the enclave's key; zero only if the deal asks for no enclave.
    /// @param enclaveSign EIP-191 signature of the enclave, ignored when `enclaveChallenge` is zero.
    /// @param authorizationSign EIP-191 signature of keccak256(worker, taskId, enclaveChallenge) by the owner of the
    /// pool, or by the TEE broker if there is one and `enclaveChallenge` is set.
    function contributeAndFinalize(
        bytes32 taskId,
        bytes32 resultDigest,
        bytes calldata results,
        bytes calldata resultsCallback,
        address enclaveChallenge,
        bytes calldata enclaveSign,
        bytes calldata authorizationSign
    ) external;

    /// @notice `initialize` and `contributeAndFinalize` in one, for a task of trust 1 that is new or active. Anyone may
    /// call, and `worker` is paid; without an enclave only `worker` may, for nothing else ties it to the result.
    /// @dev Deadline as in `contributeAndFinalize`. All three parts of the result are bound by what the enclave signs:
    /// resultDigest = keccak256(abi.encode(outputDigest, keccak256(results), keccak256(resultsCallback))).
    /// @param outputDigest Of what the app put out, salted by the enclave.
    /// @param enclaveSign EIP-191 signature, by the enclave, of the EIP-712 struct hash (without domain: the task's id has
    /// chain and Hub in it) of TaskResult(bytes32 taskid,address worker,bytes32 resultDigest). It is not that of
    /// `contributeAndFinalize`, where a worker could hand in, beside the same digest, other results.
    /// @param authorizationSign As in `contributeAndFinalize`.
    function settle(
        bytes32 dealid,
        uint256 idx,
        address worker,
        bytes32 outputDigest,
        bytes calldata results,
        bytes calldata resultsCallback,
        address enclaveChallenge,
        bytes calldata enclaveSign,
        bytes calldata authorizationSign
    ) external;

    /// @notice `settle` for several tasks of a deal; one failure reverts all. Callbacks come last.
    /// @dev What the results take together must fit one blob (24,576 bytes), and a transaction its gas limit: about 150
    /// tasks.
    function settleBatch(bytes32 dealid, Settlement[] calldata settlements) external;

    /// @notice Ends an unfinished task after its final deadline (10 times the category's time after the match): the
    /// payer is refunded, workers get their stakes back, the stake of the pool goes to the kitty. Anyone may call.
    function claim(bytes32 taskId) external;

    /// @notice `initialize` for several tasks; one failure reverts all.
    function initializeArray(bytes32[] calldata dealIds, uint256[] calldata indexes) external returns (bool);

    /// @notice `claim` for several tasks; one failure reverts all.
    function claimArray(bytes32[] calldata taskIds) external returns (bool);

    /// @notice `initialize`, then `claim`, for several tasks; one failure reverts all.
    function initializeAndClaimArray(bytes32[] calldata dealIds, uint256[] calldata indexes) external returns (bool);
}
