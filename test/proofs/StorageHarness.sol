// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Escrow} from "../../contracts/hub/Escrow.sol";
import {HubStorage} from "../../contracts/hub/HubStorage.sol";
import {IAdmin} from "../../contracts/interfaces/IAdmin.sol";
import {DealLib} from "../../contracts/libraries/DealLib.sol";
import {Deal} from "../../contracts/types/Deals.sol";

/// @title StorageHarness
/// @notice The Hub's storage and escrow by themselves.
contract StorageHarness is Escrow {
    bytes32 private constant TASK = keccak256("task");

    constructor() HubStorage(_config()) {
        _vault.nonce = FIRST_BLOB;
    }

    function writeDeal(
        bytes32 requestHash,
        Deal memory deal,
        DealLib.Terms memory terms
    ) external returns (bytes32 id) {
        Vault memory vault = _vault;
        id = _dealIdOf(requestHash, terms.botFirst);
        _writeDeal(vault, requestHash, id, deal, terms);
        _store(vault);
    }

    function readDeal(bytes32 dealId) external view returns (Deal memory deal, uint256 timeref) {
        timeref = _readDeal(dealId, deal);
    }

    function isWide(bytes32 dealId) external view returns (bool) {
        return _deals[dealId].wide;
    }

    function consumedOfRequest(bytes32 requestHash) external view returns (uint256) {
        return _consumedOfRequest(requestHash);
    }

    function narrowDeadline(uint256 timeref) external view returns (uint256) {
        return _narrowDeadline(timeref);
    }

    function setConsumedOf(bytes32 orderHash, address signer, uint256 consumed) external {
        _setConsumedOf(orderHash, signer, consumed);
    }

    function setConsumedOf(bytes32 orderHash, uint256 consumed) external {
        _setConsumedOf(orderHash, consumed);
    }

    function stateOf(bytes32 orderHash) external view returns (address signer, uint256 consumed) {
        return _stateOf(orderHash);
    }

    function storeVault(Vault memory vault) external returns (Vault memory) {
        _store(vault);
        return _vault;
    }

    function storeTask(bytes32 taskId, TaskState memory task) external returns (TaskState memory) {
        _store(_tasks[taskId], task);
        return _tasks[taskId];
    }

    function storeActive(bytes32 taskId, uint40 deal, uint32 index) external returns (TaskState memory) {
        _storeActive(_tasks[taskId], deal, index);
        return _tasks[taskId];
    }

    function storeRound(bytes32 taskId, Round memory round) external returns (Round memory) {
        _store(_rounds[taskId], round);
        return _rounds[taskId];
    }

    function storeContribution(
        ContributionState memory before,
        address previous,
        uint64 weight,
        uint8 group
    ) external returns (ContributionState memory) {
        _contributions[TASK][msg.sender] = before;
        _store(_contributions[TASK][msg.sender], previous, weight, group);
        return _contributions[TASK][msg.sender];
    }

    function setAccount(address account, uint96 free, uint96 frozen, uint64 score) external {
        _accounts[account] = AccountState(free, frozen, score);
    }

    function accountOf(address account) external view returns (uint96 free, uint96 frozen, uint64 score) {
        AccountState memory state = _accounts[account];
        return (state.free, state.frozen, state.score);
    }

    function setVault(uint96 inCustody, uint96 inKitty) external {
        (_vault.held, _vault.kitty) = (inCustody, inKitty);
    }

    function held() external view returns (uint96) {
        return _vault.held;
    }

    function kitty() external view returns (uint96) {
        return _vault.kitty;
    }

    /// @notice Does one of the escrow's moves; `move` is its place in this list.
    function act(uint256 move, address account, uint256 amount) external {
        Vault memory vault = _vault;
        if (move == 0) _lock(vault, account, amount);
        else if (move == 1) _unlock(vault, account, amount);
        else if (move == 2) _seize(account, amount, TASK);
        else if (move == 3) _reward(vault, account, amount, TASK);
        else _fillKitty(vault, amount, TASK);
        _store(vault);
    }

    function transfer(address from, address to, uint256 amount) external {
        _transfer(from, to, amount);
    }

    function _config() private view returns (IAdmin.Config memory) {
        address known = msg.sender;
        return IAdmin.Config(known, known, known, known, known, known);
    }
}
