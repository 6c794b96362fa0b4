// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IEscrow} from "../contracts/interfaces/IEscrow.sol";
import {Cast} from "./spec/Cast.sol";

/// @title Custody: moving money between an account's slot and what the Hub holds makes none and loses none
/// @notice Supposed is what the invariant tests show: all together is never more than the supply, which fits 96 bits.
/// What goes through a pointer to a slot, or is written in assembly (lock, unlock, debit), is more than the model checker
/// follows: test/proofs/Custody.t.sol.
contract Custody {
    address private constant KITTY_ADDRESS = address(1);

    // cut contracts/hub/HubStorage.sol: Vault AccountState MAX_SUPPLY _accounts _supply

    /// @notice What is paid out of custody is what the account has more.
    function aRewardIsPaidOutOfCustody(Vault memory vault, address account, uint256 amount) external {
        uint256 sum = uint256(_accounts[account].free) + vault.held;
        require(sum <= MAX_SUPPLY && amount <= vault.held);
        uint256 expected = _accounts[account].free + amount;
        // cut contracts/hub/Escrow.sol: _credit{}
        uint256 free = _accounts[account].free;
        assert(free == expected && free + vault.held == sum);
    }

    /// @notice A reward touches neither what the account has locked nor its score.
    function aRewardTouchesNothingElse(Vault memory vault, address account, uint256 amount) external {
        require(uint256(_accounts[account].free) + vault.held <= MAX_SUPPLY && amount <= vault.held);
        (uint96 frozen, uint64 score) = (_accounts[account].frozen, _accounts[account].score);
        // cut contracts/hub/Escrow.sol: _credit{}
        assert(_accounts[account].frozen == frozen && _accounts[account].score == score);
    }

    /// @notice A reward touches no other account.
    function aRewardTouchesNobodyElse(Vault memory vault, address account, address other, uint256 amount) external {
        require(uint256(_accounts[account].free) + vault.held <= MAX_SUPPLY && amount <= vault.held);
        require(account != other);
        (uint96 free, uint96 frozen) = (_accounts[other].free, _accounts[other].frozen);
        // cut contracts/hub/Escrow.sol: _credit{}
        assert(_accounts[other].free == free && _accounts[other].frozen == frozen);
    }

    /// @notice What is seized is taken from what was locked, to the unit, and from nothing else.
    function aSeizureTakesWhatWasLocked(address account, uint256 amount, bytes32 taskId) external {
        require(amount <= _accounts[account].frozen);
        AccountState memory before = _accounts[account];
        // cut contracts/hub/Escrow.sol: _seize{}
        AccountState memory state = _accounts[account];
        bool rest = state.free == before.free && state.score == before.score;
        assert(rest && state.frozen + amount == before.frozen);
    }

    /// @notice What goes to the kitty is what the kitty has more; it stays in custody.
    function theKittyIsFilled(Vault memory vault, uint256 amount, bytes32 taskId) external {
        require(amount <= MAX_SUPPLY - vault.kitty);
        (uint256 kitty, uint256 held) = (vault.kitty, vault.held);
        // cut contracts/hub/Escrow.sol: _fillKitty{}
        assert(vault.kitty == kitty + amount && vault.held == held);
    }

    /// @notice What is deposited is what account and supply have more, and the supply stays within 96 bits.
    function aDepositIsCredited(address target, uint256 amount) external {
        uint256 total = _supply;
        uint256 free = _accounts[target].free;
        require(free <= total && total <= MAX_SUPPLY && amount <= type(uint256).max - MAX_SUPPLY);
        // cut contracts/hub/Escrow.sol: _raiseSupply{} _issue{}
        bool credited = _accounts[target].free == free + amount;
        assert(credited && _supply == total + amount && _supply <= MAX_SUPPLY);
    }
}
