// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {HubStorage} from "../../contracts/hub/HubStorage.sol";
import {ContributionStatus, TaskStatus} from "../../contracts/types/Deals.sol";
import {Sizes} from "./Sizes.sol";
import {StorageHarness} from "./StorageHarness.sol";

/// @title Slots that are written whole are read member by member, as the compiler finds them
contract SlotProperties {
    StorageHarness private _hub;

    function setUp() public {
        _hub = new StorageHarness();
    }

    /// @notice Whatever was consumed of an order is read as it was written, and its signer stays; other orders stay too.
    function test_orders(address signer, uint256 consumed, uint256 next, uint256 sizes) external {
        (bytes32 orderHash, bytes32 other) = ("order", "other");
        (consumed, next) = (Sizes.any(consumed, sizes), Sizes.any(next, sizes >> 16));
        _hub.setConsumedOf(other, address(1), next);
        _hub.setConsumedOf(orderHash, signer, consumed);
        _compare(orderHash, signer, consumed);
        _hub.setConsumedOf(orderHash, next);
        _compare(orderHash, signer, next);
        _compare(other, address(1), next);
    }

    /// @notice Whatever was consumed of an order is read as it was written, around the end of the narrow place.
    function test_ordersAtTheEndOfTheirPlace() external {
        for (uint256 i = 0; i < 4; ++i) {
            uint256 consumed = uint256(type(uint96).max) - 2 + i;
            _hub.setConsumedOf("order", address(type(uint160).max), consumed);
            _compare("order", address(type(uint160).max), consumed);
        }
    }

    /// @notice The Hub's own slot is read as it was written.
    function test_vaults(HubStorage.Vault memory vault) external {
        assert(keccak256(abi.encode(_hub.storeVault(vault))) == keccak256(abi.encode(vault)));
    }

    /// @notice The slot of a task is read as it was written; whether it was reopened is forgotten.
    function test_tasks(
        bytes32 taskId,
        uint8 status,
        uint40[4] calldata times,
        uint32 index,
        uint16[2] calldata place
    ) external {
        HubStorage.TaskState memory task;
        task.status = TaskStatus(status % 5);
        (task.deal, task.result, task.consensusTime, task.datasets) = (times[0], times[1], times[2], times[3]);
        (task.index, task.resultOffset, task.resultLength) = (index, place[0], place[1]);
        task.reopened = status > 127;
        HubStorage.TaskState memory stored = _hub.storeTask(taskId, task);
        task.reopened = false;
        assert(keccak256(abi.encode(stored)) == keccak256(abi.encode(task)));
    }

    /// @notice A task that begins keeps the datasets attached to it, and nothing else of what its slot had.
    function test_newTasks(bytes32 taskId, uint40 datasets, uint40 deal, uint32 index) external {
        HubStorage.TaskState memory task;
        task.datasets = datasets;
        _hub.storeTask(taskId, task);
        (task.status, task.deal, task.index) = (TaskStatus.ACTIVE, deal, index);
        assert(keccak256(abi.encode(_hub.storeActive(taskId, deal, index))) == keccak256(abi.encode(task)));
    }

    /// @notice The slot of a round is read as it was written.
    function test_rounds(bytes32 taskId, HubStorage.Round memory round) external {
        assert(keccak256(abi.encode(_hub.storeRound(taskId, round))) == keccak256(abi.encode(round)));
    }

    /// @notice The first slot of a contribution is read as it was written, and the others stay.
    function test_contributions(address previous, uint64 weight, uint8 group, bytes32 seal, address enclave) external {
        HubStorage.ContributionState memory contribution;
        (contribution.seal, contribution.enclaveChallenge) = (seal, enclave);
        HubStorage.ContributionState memory found = _hub.storeContribution(contribution, previous, weight, group);
        (contribution.previous, contribution.weight, contribution.group) = (previous, weight, group);
        contribution.status = ContributionStatus.CONTRIBUTED;
        assert(keccak256(abi.encode(found)) == keccak256(abi.encode(contribution)));
    }

    function _compare(bytes32 orderHash, address signer, uint256 consumed) private view {
        (address foundSigner, uint256 foundConsumed) = _hub.stateOf(orderHash);
        assert(foundSigner == signer && foundConsumed == consumed);
    }
}
