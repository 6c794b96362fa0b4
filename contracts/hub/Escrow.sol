// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IDeals} from "../interfaces/IDeals.sol";
import {IEscrow} from "../interfaces/IEscrow.sol";
import {ITokenSpender} from "../interfaces/ITokenSpender.sol";
import {RequestOrder} from "../types/Orders.sol";
import {HubStorage} from "./HubStorage.sol";

/// @title Escrow: what accounts own, lock, lose and earn
/// @dev Chapters pass the Vault in memory and write it back once.
abstract contract Escrow is IEscrow, HubStorage {
    /* DEPOSITS AND WITHDRAWALS */

    /// @inheritdoc IEscrow
    function deposit(uint256 amount) external returns (bool) {
        _deposit(msg.sender, amount, msg.sender);
        return true;
    }

    /// @inheritdoc IEscrow
    function depositFor(uint256 amount, address target) external returns (bool) {
        _deposit(msg.sender, amount, target);
        return true;
    }

    /// @inheritdoc IEscrow
    function depositForArray(uint256[] calldata amounts, address[] calldata targets) external returns (bool) {
        require(amounts.length == targets.length, LengthMismatch(amounts.length, targets.length));
        for (uint256 i = 0; i < amounts.length; ++i) {
            _deposit(msg.sender, amounts[i], targets[i]);
        }
        return true;
    }

    /// @inheritdoc IEscrow
    function withdraw(uint256 amount) external returns (bool) {
        _withdraw(amount, msg.sender);
        return true;
    }

    /// @inheritdoc IEscrow
    function withdrawTo(uint256 amount, address target) external returns (bool) {
        _withdraw(amount, target);
        return true;
    }

    /// @inheritdoc IEscrow
    function recover() external returns (uint256 surplus) {
        _checkOwner();
        surplus = TOKEN.balanceOf(address(this)) - _supply;
        _mint(_ownership.owner, surplus);
    }

    /// @inheritdoc ITokenSpender
    /// @dev With data, which must be a call of `matchOrders` whose requester is `sender`: deposits, then matches.
    function receiveApproval(
        address sender,
        uint256 amount,
        address token,
        bytes calldata data
    ) external returns (bool) {
        require(msg.sender == address(TOKEN) && token == msg.sender, OnlyToken(msg.sender, address(TOKEN)));
        _deposit(sender, amount, sender);
        if (data.length > 0) _matchFor(sender, data);
        return true;
    }

    /* STAKED TOKEN */

    /// @inheritdoc IERC20
    function totalSupply() external view returns (uint256) {
        return _supply;
    }

    /// @inheritdoc IERC20
    function balanceOf(address account) external view returns (uint256) {
        uint256 held = account == address(this) ? _vault.held : 0;
        return _balances[account].free + held;
    }

    /// @inheritdoc IERC20
    function allowance(address account, address spender) external view returns (uint256) {
        return _allowances[account][spender];
    }

    /// @inheritdoc IERC20
    function transfer(address to, uint256 amount) external returns (bool) {
        _transfer(msg.sender, to, amount);
        return true;
    }

    /// @inheritdoc IERC20
    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        _decreaseAllowance(from, msg.sender, amount);
        _transfer(from, to, amount);
        return true;
    }

    /// @inheritdoc IERC20
    function approve(address spender, uint256 amount) external returns (bool) {
        _approve(msg.sender, spender, amount);
        return true;
    }

    /// @inheritdoc IEscrow
    function approveAndCall(address spender, uint256 amount, bytes calldata data) external returns (bool) {
        _approve(msg.sender, spender, amount);
        bool accepted = ITokenSpender(spender).receiveApproval(msg.sender, amount, address(this), data);
        require(accepted, ApprovalRefused(spender));
        return true;
    }

    /// @inheritdoc IEscrow
    function increaseAllowance(address spender, uint256 added) external returns (bool) {
        _approve(msg.sender, spender, _allowances[msg.sender][spender] + added);
        return true;
    }

    /// @inheritdoc IEscrow
    function decreaseAllowance(address spender, uint256 removed) external returns (bool) {
        _decreaseAllowance(msg.sender, spender, removed);
        return true;
    }

    /* CUSTODY */

    /// @dev Moves `amount` of `account` into custody.
    function _lock(Vault memory vault, address account, uint256 amount) internal {
        Balance storage balance = _balances[account];
        (uint256 free, uint256 frozen) = (balance.free, balance.frozen);
        require(amount <= free, ERC20InsufficientBalance(account, free, amount));
        _set(balance, free - amount, frozen + amount);
        vault.held += uint96(amount);
        emit Transfer(account, address(this), amount);
        emit Lock(account, amount);
    }

    /// @dev Moves what `account` had locked back to it.
    function _unlock(Vault memory vault, address account, uint256 amount) internal {
        Balance storage balance = _balances[account];
        (uint256 free, uint256 frozen) = (balance.free, balance.frozen);
        _set(balance, free + amount, frozen - amount);
        vault.held -= uint96(amount);
        emit Transfer(address(this), account, amount);
        emit Unlock(account, amount);
    }

    /// @dev No amount is above the supply, which fits 96 bits.
    function _set(Balance storage balance, uint256 free, uint256 frozen) private {
        balance.free = uint128(free);
        balance.frozen = uint128(frozen);
    }

    /// @dev Takes what `account` had locked; it stays in custody.
    function _seize(address account, uint256 amount, bytes32 taskId) internal {
        _balances[account].frozen -= uint128(amount);
        emit Seize(account, amount, taskId);
    }

    /// @dev Pays `account` out of custody.
    function _reward(Vault memory vault, address account, uint256 amount, bytes32 taskId) internal {
        _balances[account].free += uint128(amount);
        vault.held -= uint96(amount);
        emit Transfer(address(this), account, amount);
        emit Reward(account, amount, taskId);
    }

    /// @dev What was seized goes to the kitty.
    function _fillKitty(Vault memory vault, uint256 amount, bytes32 taskId) internal {
        vault.kitty += uint96(amount);
        emit Reward(KITTY_ADDRESS, amount, taskId);
        emit Lock(KITTY_ADDRESS, amount);
    }

    /// @dev Pays `account` out of the kitty.
    function _drawKitty(Vault memory vault, address account, uint256 amount, bytes32 taskId) internal {
        vault.kitty -= uint96(amount);
        emit Seize(KITTY_ADDRESS, amount, taskId);
        _reward(vault, account, amount, taskId);
    }

    /* MOVES */

    function _deposit(address from, uint256 amount, address target) private {
        // Before the credit: a token that calls back meanwhile finds nothing to spend yet.
        bool moved = SafeERC20.trySafeTransferFrom(TOKEN, from, address(this), amount);
        require(moved, TokenTransferFailed(from, address(this), amount));
        _mint(target, amount);
    }

    function _withdraw(uint256 amount, address target) private {
        _debit(msg.sender, amount);
        _supply -= amount;
        emit Transfer(msg.sender, address(0), amount);
        bool moved = SafeERC20.trySafeTransfer(TOKEN, target, amount);
        require(moved, TokenTransferFailed(address(this), target, amount));
    }

    function _mint(address target, uint256 amount) private {
        require(target != address(0), ERC20InvalidReceiver(target));
        uint256 supply = _supply + amount;
        require(supply <= MAX_SUPPLY, SupplyTooLarge(supply, MAX_SUPPLY));
        _supply = supply;
        _balances[target].free += uint128(amount);
        emit Transfer(address(0), target, amount);
    }

    function _transfer(address from, address to, uint256 amount) private {
        require(to != address(0), ERC20InvalidReceiver(to));
        _debit(from, amount);
        _balances[to].free += uint128(amount);
        emit Transfer(from, to, amount);
    }

    function _debit(address from, uint256 amount) private {
        Balance storage balance = _balances[from];
        uint256 free = balance.free;
        require(amount <= free, ERC20InsufficientBalance(from, free, amount));
        balance.free = uint128(free - amount);
    }

    function _approve(address account, address spender, uint256 amount) private {
        require(account != address(0), ERC20InvalidApprover(account));
        require(spender != address(0), ERC20InvalidSpender(spender));
        _allowances[account][spender] = amount;
        emit Approval(account, spender, amount);
    }

    function _decreaseAllowance(address account, address spender, uint256 amount) private {
        uint256 allowed = _allowances[account][spender];
        require(amount <= allowed, ERC20InsufficientAllowance(spender, allowed, amount));
        _approve(account, spender, allowed - amount);
    }

    /// @dev The call of `matchOrders` is made as it came, by the Hub to itself.
    function _matchFor(address sender, bytes calldata data) private {
        bytes4 selector = bytes4(data);
        require(selector == IDeals.matchOrders.selector, UnsupportedOperation(selector));
        require(_requesterOf(data[4:]) == sender, CallerIsNotTheRequester());
        (bool success, bytes memory answer) = address(this).delegatecall(data);
        if (success) return;
        require(answer.length > 0, OperationFailed());
        assembly ("memory-safe") {
            revert(add(answer, 32), mload(answer))
        }
    }

    /// @dev Decoded as `matchOrders` itself will read it.
    function _requesterOf(bytes calldata orders) private pure returns (address) {
        RequestOrder calldata request;
        assembly ("memory-safe") {
            request := add(orders.offset, calldataload(add(orders.offset, 96)))
        }
        return request.requester;
    }
}
